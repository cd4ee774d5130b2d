//! Values from [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave),
//! read by their type.
//!
//! The lexer is wasm-wave's. Its parser decides the meaning of a word before it knows the type, so
//! that a label that is also a keyword (`ok err some none true false inf nan`) is not understood
//! everywhere. It also passes over unknown fields of a record, and reads a number that is too large
//! as infinity.

use std::ops::Range;

use wasmtime::component::wasm_wave::{self, lex};
use wasmtime::component::{Type, Val, types};

use super::labels::{Fields, known, name_of_label, unknown_name};
use super::numbers::{self, shown};
use lex::Token;

/// Reads a value of this type, or says what is wrong with the text.
pub(crate) fn parse(ty: &Type, text: &str) -> Result<Val, String> {
    let mut parser = Parser { lexer: lex::Lexer::new(text) };
    let value = parser.value(ty)?;
    match parser.peek()? {
        None => Ok(value),
        Some((_, span)) => Err(format!("{} stands after the value", shown(&text[span]))),
    }
}

/// Reads one value. It goes no deeper than its type.
struct Parser<'a> {
    lexer: lex::Lexer<'a>,
}

type Payload = Option<Box<Val>>;

impl<'a> Parser<'a> {
    fn value(&mut self, ty: &Type) -> Result<Val, String> {
        match ty {
            Type::Bool => self.boolean().map(Val::Bool),
            Type::S8 => self.number(numbers::integer).map(Val::S8),
            Type::U8 => self.number(numbers::integer).map(Val::U8),
            Type::S16 => self.number(numbers::integer).map(Val::S16),
            Type::U16 => self.number(numbers::integer).map(Val::U16),
            Type::S32 => self.number(numbers::integer).map(Val::S32),
            Type::U32 => self.number(numbers::integer).map(Val::U32),
            Type::S64 => self.number(numbers::integer).map(Val::S64),
            Type::U64 => self.number(numbers::integer).map(Val::U64),
            Type::Float32 => self.number(numbers::float32).map(Val::Float32),
            Type::Float64 => self.number(numbers::float64).map(Val::Float64),
            Type::Char => self.quoted(ty, &[Token::Char], "a character in `'`"),
            Type::String => {
                self.quoted(ty, &[Token::String, Token::MultilineString], "a text in `\"`")
            }
            Type::List(list) => self.list(&list.ty()).map(Val::List),
            Type::Tuple(tuple) => self.tuple(tuple).map(Val::Tuple),
            Type::Record(record) => self.record(record),
            Type::Variant(variant) => self.variant(variant),
            Type::Enum(names) => {
                let name = self.name("a name")?;
                known(name, &names.names().collect::<Vec<_>>()).map(Val::Enum)
            }
            Type::Flags(flags) => self.flags(flags).map(Val::Flags),
            Type::Option(option) => self.option(&option.ty()),
            Type::Result(result) => self.result(result),
            _ => Err("values of this type cannot be written as text".to_owned()),
        }
    }

    fn boolean(&mut self) -> Result<bool, String> {
        let expected = "`true` or `false`";
        match self.token(&[Token::LabelOrKeyword], expected)? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(misplaced(other, expected)),
        }
    }

    /// Reads a number, `inf` and `nan` included, whose meaning depends on the type.
    fn number<T>(&mut self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        read(self.token(&[Token::Number, Token::LabelOrKeyword], "a number")?)
    }

    /// Reads a quoted text with its escapes, as wasm-wave does.
    fn quoted(&mut self, ty: &Type, tokens: &[Token], expected: &str) -> Result<Val, String> {
        let text = self.token(tokens, expected)?;
        wasm_wave::from_str(ty, text).map_err(|error| error.to_string())
    }

    fn list(&mut self, ty: &Type) -> Result<Vec<Val>, String> {
        self.token(&[Token::BracketOpen], "a list `[…]`")?;
        let mut values = Vec::new();
        self.until(Token::BracketClose, |parser| {
            let value =
                parser.value(ty).map_err(|reason| format!("[{}]: {reason}", values.len()))?;
            values.push(value);
            Ok(())
        })?;
        Ok(values)
    }

    fn tuple(&mut self, tuple: &types::Tuple) -> Result<Vec<Val>, String> {
        self.token(&[Token::ParenOpen], "a tuple `(…)`")?;
        let expected = tuple.types().len();
        let (mut types, mut values) = (tuple.types(), Vec::new());
        self.until(Token::ParenClose, |parser| {
            let ty = types.next().ok_or_else(|| format!("the tuple has {expected} elements"))?;
            let value =
                parser.value(&ty).map_err(|reason| format!("[{}]: {reason}", values.len()))?;
            values.push(value);
            Ok(())
        })?;
        if values.len() == expected {
            Ok(values)
        } else {
            Err(format!("the tuple has {expected} elements"))
        }
    }

    /// Reads a record. Options may be missing, all of them too: `{:}` or `{}`.
    fn record(&mut self, record: &types::Record) -> Result<Val, String> {
        self.token(&[Token::BraceOpen], "a record `{field: value}`")?;
        let fields: Vec<_> =
            record.fields().map(|field| (field.name.to_owned(), field.ty)).collect();
        let mut values = Fields::new(&fields);
        if self.takes(Token::Colon)? {
            self.token(&[Token::BraceClose], "`}`")?;
            return values.finish();
        }
        self.until(Token::BraceClose, |parser| {
            let name = parser.name("a field")?;
            parser.token(&[Token::Colon], "`:`")?;
            values.put(name, |ty| parser.value(ty))
        })?;
        values.finish()
    }

    fn variant(&mut self, variant: &types::Variant) -> Result<Val, String> {
        let name = self.name("a case")?;
        let case = variant.cases().find(|case| case.name == name);
        let case = case.ok_or_else(|| unknown_name(name, variant.cases().map(|case| case.name)))?;
        Ok(Val::Variant(name.to_owned(), self.payload(name, case.ty)?))
    }

    fn flags(&mut self, flags: &types::Flags) -> Result<Vec<String>, String> {
        self.token(&[Token::BraceOpen], "flags `{…}`")?;
        let all: Vec<_> = flags.names().collect();
        let mut names = Vec::new();
        self.until(Token::BraceClose, |parser| {
            let name = known(parser.name("the name of a flag")?, &all)?;
            if names.contains(&name) {
                return Err(format!("the flag `{name}` is given twice"));
            }
            names.push(name);
            Ok(())
        })?;
        Ok(names)
    }

    /// Reads `none`, `some(value)` or, for a type that is not an option itself, the value alone. A
    /// case `none` or `some` of the inner type is `%none` or `%some`.
    fn option(&mut self, ty: &Type) -> Result<Val, String> {
        let value = match self.peek_text()? {
            Some("none") => {
                self.advance()?;
                None
            }
            Some("some") => {
                self.advance()?;
                self.payload("some", Some(ty.clone()))?
            }
            _ if !matches!(ty, Type::Option(_)) => Some(Box::new(self.value(ty)?)),
            other => return Err(misplaced(other.unwrap_or_default(), "`none` or `some(…)`")),
        };
        Ok(Val::Option(value))
    }

    /// Reads `ok`, `err`, with or without a payload, or the payload of `ok` alone if that is not a
    /// result itself.
    fn result(&mut self, result: &types::ResultType) -> Result<Val, String> {
        let value = match (self.peek_text()?, result.ok()) {
            (Some("ok"), ty) => {
                self.advance()?;
                Ok(self.payload("ok", ty)?)
            }
            (Some("err"), _) => {
                self.advance()?;
                Err(self.payload("err", result.err())?)
            }
            (_, Some(ty)) if !matches!(ty, Type::Result(_)) => Ok(Some(Box::new(self.value(&ty)?))),
            (other, _) => return Err(misplaced(other.unwrap_or_default(), "`ok` or `err`")),
        };
        Ok(Val::Result(value))
    }

    fn payload(&mut self, case: &str, ty: Option<Type>) -> Result<Payload, String> {
        match (ty, self.takes(Token::ParenOpen)?) {
            (None, false) => Ok(None),
            (None, true) => Err(format!("the case `{case}` has no payload")),
            (Some(_), false) => Err(format!("the case `{case}` needs a payload: `{case}(…)`")),
            (Some(ty), true) => {
                let value = self.value(&ty).map_err(|reason| format!(".{case}: {reason}"))?;
                self.token(&[Token::ParenClose], "`)`")?;
                Ok(Some(Box::new(value)))
            }
        }
    }

    /// Reads elements up to the closing bracket, with commas between, and perhaps one at the end.
    fn until(
        &mut self,
        close: Token,
        mut each: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        while !self.takes(close)? {
            each(self)?;
            if !self.takes(Token::Comma)? {
                return self.token(&[close], "`,` or the closing bracket").map(drop);
            }
        }
        Ok(())
    }

    /// Reads a label, keyword or not, and returns its name.
    fn name(&mut self, expected: &str) -> Result<&'a str, String> {
        self.token(&[Token::LabelOrKeyword], expected).map(name_of_label)
    }

    /// Returns the text of the next token, which has to be one of these.
    fn token(&mut self, wanted: &[Token], expected: &str) -> Result<&'a str, String> {
        let (found, text) = match self.peek()? {
            Some((found, span)) => (Some(found), &self.lexer.source()[span]),
            None => (None, ""),
        };
        if found.is_some_and(|found| wanted.contains(&found)) {
            self.advance()?;
            Ok(text)
        } else {
            Err(misplaced(text, expected))
        }
    }

    fn takes(&mut self, token: Token) -> Result<bool, String> {
        let is_next = self.peek()?.is_some_and(|(next, _)| next == token);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn peek_text(&self) -> Result<Option<&'a str>, String> {
        Ok(self.peek()?.map(|(_, span)| &self.lexer.source()[span]))
    }

    fn peek(&self) -> Result<Option<(Token, Range<usize>)>, String> {
        self.lexer.clone().read()
    }

    fn advance(&mut self) -> Result<(), String> {
        self.lexer.read().map(drop)
    }
}

/// Reads the next token with its place.
trait Read {
    fn read(&mut self) -> Result<Option<(Token, Range<usize>)>, String>;
}

impl Read for lex::Lexer<'_> {
    fn read(&mut self) -> Result<Option<(Token, Range<usize>)>, String> {
        match self.next() {
            None => Ok(None),
            Some(Ok(token)) => Ok(Some((token, self.span()))),
            Some(Err(_)) => Err(format!("{} is not WAVE", shown(self.slice()))),
        }
    }
}

fn misplaced(found: &str, expected: &str) -> String {
    format!("{} stands where {expected} should", shown(found))
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;
    use wasmtime::component::types::ComponentItem;

    use super::*;

    /// Makes a type from WebAssembly's text. In it, `$v` is a variant with the case `at(tuple<u8,
    /// u8>)`.
    fn ty(text: &str) -> Type {
        let engine = crate::code::compiling_engine().expect("an engine");
        let wat = format!(
            r#"(component
            (type $v0 (variant (case "at" (tuple u8 u8)))) (import "v" (type $v (eq $v0)))
            (type $t {text}) (import "t" (type $n (eq $t)))
            (import "f" (func (param "x" $n))))"#
        );
        let component = Component::new(&engine, wat::parse_str(&wat).expect(text)).expect(text);
        let component_type = component.component_type();
        let parameter = component_type.imports(&engine).find_map(|(_, import)| match import.ty {
            ComponentItem::ComponentFunc(function) => function.params().next().map(|(_, ty)| ty),
            _ => None,
        });
        parameter.expect("one parameter")
    }

    #[test]
    fn record_of_options_can_be_empty() {
        let options = ty(r#"(record (field "a" (option u8)) (field "b" (option string)))"#);
        let none = |name: &str| (name.to_owned(), Val::Option(None));
        for text in ["{}", "{:}", " { } "] {
            assert_eq!(
                parse(&options, text),
                Ok(Val::Record(vec![none("a"), none("b")])),
                "{text}"
            );
        }
        let b = Val::Option(Some(Box::new(Val::String("x".to_owned()))));
        assert_eq!(
            parse(&options, "{b: \"x\"}"),
            Ok(Val::Record(vec![none("a"), ("b".to_owned(), b)]))
        );
        let required = ty(r#"(record (field "a" u8))"#);
        assert_eq!(parse(&required, "{}"), Err("the field `a` is missing".to_owned()));
    }

    #[test]
    fn payloads_can_stand_alone() {
        let ok = |value| Val::Result(Ok(Some(Box::new(value))));
        let some = |value| Val::Option(Some(Box::new(value)));
        let result = ty("(result (option u8))");
        assert_eq!(parse(&result, "none"), Ok(ok(Val::Option(None))));
        assert_eq!(parse(&result, "some(5)"), Ok(ok(some(Val::U8(5)))));
        assert_eq!(parse(&result, "5"), Ok(ok(some(Val::U8(5)))));
        assert_eq!(parse(&ty("(option (result u8))"), "ok(5)"), Ok(some(ok(Val::U8(5)))));
        assert!(parse(&ty("(option (option u8))"), "5").is_err(), "of one option or of both");
    }

    #[test]
    fn strings_are_left_alone() {
        let strings = ty("(list string)");
        let text = r#"["%ok, {none}: 1e999", "\u{1f600}\\\"", ""]"#;
        let expected =
            ["%ok, {none}: 1e999", "\u{1f600}\\\"", ""].map(|text| Val::String(text.to_owned()));
        assert_eq!(parse(&strings, text), Ok(Val::List(expected.into())));
        let lines = "[\"\"\"\n  a\n  b\n  \"\"\", // a comment\n]";
        assert_eq!(parse(&strings, lines), Ok(Val::List(vec![Val::String("a\nb".to_owned())])));
    }

    #[test]
    fn errors_name_the_place() {
        let nested = ty(r#"(record (field "list" (list $v)))"#);
        let error = |text: &str| parse(&nested, text).expect_err(text);
        insta::assert_snapshot!(error("{list: [at((1, 256))]}"), @".list: [0]: .at: [1]: 256 is out of range");
        insta::assert_snapshot!(error("{list: [at((1, 2, 3))]}"), @".list: [0]: .at: the tuple has 2 elements");
        insta::assert_snapshot!(error("{list: [to(1)]}"), @".list: [0]: `to` is none of `at`");
        insta::assert_snapshot!(error("{list: [at]}"), @".list: [0]: the case `at` needs a payload: `at(…)`");
        insta::assert_snapshot!(error("{list: []"), @"nothing stands where `,` or the closing bracket should");
        insta::assert_snapshot!(error("{list: []} []"), @"`[` stands after the value");
        insta::assert_snapshot!(error("{list: [;]}"), @".list: `;` is not WAVE");
        insta::assert_snapshot!(error("{list = []}"), @"`=` is not WAVE");
    }
}
