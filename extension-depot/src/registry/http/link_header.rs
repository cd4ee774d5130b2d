//! The header `Link` as [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288#section-3) defines it.

/// One link of a header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// The address, which can be relative.
    pub(crate) target: &'a str,
    /// The parameters in their order, with names in lower case.
    parameters: Vec<(String, String)>,
}

impl Link<'_> {
    /// Returns whether `rel` has this relation among others. Only the first `rel` counts.
    pub(crate) fn has_relation(&self, relation: &str) -> bool {
        let relations = self.parameter("rel").unwrap_or_default();
        relations.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(relation))
    }

    /// Returns the first parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Parses all links of one header. Returns nothing when it does not have the form of links.
pub(crate) fn parse(header: &str) -> Option<Vec<Link<'_>>> {
    let mut links = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(links);
        }
        let (link, after) = parse_link(rest)?;
        links.push(link);
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

fn parse_link(text: &str) -> Option<(Link<'_>, &str)> {
    let (target, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let mut parameters = Vec::new();
    while let Some(text) = rest.trim_start().strip_prefix(';') {
        let (name, value, after) = parse_parameter(text.trim_start())?;
        // A `;` with nothing behind it is allowed.
        if !name.is_empty() {
            parameters.push((name.to_ascii_lowercase(), value));
        }
        rest = after;
    }
    Some((Link { target: target.trim(), parameters }, rest))
}

/// Parses `name`, `name=token` or `name="quoted"`. Returns what follows as well.
fn parse_parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = split_token(text, &['=', ';', ',']);
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
        return Some((name, String::new(), rest));
    };
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, rest) = parse_quoted(quoted)?;
        return Some((name, value, rest));
    }
    let (value, rest) = split_token(value, &[';', ',']);
    // Single quotes are not in the grammar, and some servers write them.
    Some((name, value.trim_matches('\'').to_owned(), rest))
}

fn split_token<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    let is_end = |c: char| c.is_ascii_whitespace() || ends.contains(&c);
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Parses a quoted string behind its first quote, up to its last.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(header: &str) -> Option<Vec<String>> {
        let links = parse(header)?.into_iter().filter(|link| link.has_relation("next"));
        Some(links.map(|link| link.target.to_owned()).collect())
    }

    #[test]
    fn next_is_found_in_any_form() {
        for header in [
            r#"</a?x=1,2;3>; rel="next""#,
            "</a?x=1,2;3>;rel=next",
            "</a?x=1,2;3> ; REL = NEXT ;",
            "</a?x=1,2;3>; rel='next'",
            r#"</a?x=1,2;3>; title="a, <b>; rel=\"prev\""; rel="prev next""#,
            r#"<b>; rel=prev, </a?x=1,2;3>; type="text/json"; rel="Next"; rel="prev""#,
            r#", <b>; rel="first" , , <c>; rel="last",</a?x=1,2;3>;rel=next;x"#,
        ] {
            assert_eq!(next(header), Some(vec!["/a?x=1,2;3".to_owned()]), "{header}");
        }
    }

    #[test]
    fn other_relations_are_not_next() {
        for header in [
            "",
            "</next>",
            "</next>; rel=prev",
            "<a>; rel=prev; rel=next",
            r#"<a>; title="rel=next""#,
        ] {
            assert_eq!(next(header), Some(Vec::new()), "{header}");
        }
    }

    #[test]
    fn malformed_header_is_not_a_link() {
        for header in [
            "next",
            "/a; rel=next",
            "<a; rel=next",
            r#"<a>; rel="next"#,
            "<a> b; rel=next",
            "<a><b>",
        ] {
            assert_eq!(next(header), None, "{header}");
        }
    }
}
