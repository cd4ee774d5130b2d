//! The command line as a whole: the global options and the commands at the top.

mod plain_call;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::{ArgValueCompleter, Shell};
use extension_host::Display;

use self::plain_call::{PlainCall, plain_call};
use super::author::WasiCommand;
use super::extension::{EverydayCommand, ExtensionCommand};
use super::listing::{ListingArguments, Presentation};
use super::negative_numbers;
use super::service::{
    ConfigCommand, DemoArguments, RegistryCommand, SecretCommand, SessionCommand, TrustCommand,
};
use super::using::{CallArguments, RunArguments};
use super::workload::WorkloadCommand;
use crate::completion;
use crate::exit_code::table;
use crate::listing::Diagnoses;

/// Extensions for the desktop session: WebAssembly from OCI registries, with exactly the
/// capabilities you grant.
#[derive(Debug, Parser)]
#[command(name = "sesame", version, after_help = table(), max_term_width = 100, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: GlobalArguments,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Parses these words, the first of which is the program's name.
    ///
    /// A call has to be quick, and building the parsers of all commands takes a good part of it. So
    /// a call without options needs no parser, and another line that begins like a call goes to the
    /// parser of that command alone. If that one fails, the whole parser reads the line again, and
    /// its error is complete.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let Some(PlainCall { call, is_below_extension }) = plain_call(words) else {
            return Self::parse_words(words);
        };
        let call = EverydayCommand::Call(call);
        let command = match is_below_extension {
            true => Command::Extension(Box::new(ExtensionCommand::Everyday(call))),
            false => Command::Everyday(Box::new(call)),
        };
        Ok(Self { global: GlobalArguments::default(), command })
    }

    #[inline(never)]
    fn parse_words(words: &[OsString]) -> Result<Self, clap::Error> {
        let words = &negative_numbers::marked(words)[..];
        let may_be_call = words
            .iter()
            .skip(1)
            .take(negative_numbers::MAX_WORDS_BEFORE_CALL)
            .any(|word| word == "call" || word == "run");
        let call = may_be_call.then(|| CallLine::try_parse_from(words).ok()).flatten();
        match call {
            Some(CallLine { global, command: CallAlone::Everyday(call) }) => {
                Ok(Self { global, command: Command::Everyday(Box::new(call.into())) })
            }
            Some(CallLine { global, command: CallAlone::Extension(call) }) => {
                let call = ExtensionCommand::Everyday(call.into());
                Ok(Self { global, command: Command::Extension(Box::new(call)) })
            }
            None => Self::try_parse_from(words)
                .and_then(Self::of_one_form)
                .and_then(|arguments| arguments.or_help(words)),
        }
    }

    /// Refuses columns and forms of a table beside `--json`. clap sees that conflict only where
    /// `--json` stands behind the command.
    fn of_one_form(self) -> Result<Self, clap::Error> {
        if self.global.json && self.command.presentation() != Presentation::default() {
            let message = "`--json` cannot be used with `--output` or `--columns`";
            return Err(Self::command().error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Ok(self)
    }

    /// Answers `sesame help COMMAND` as `sesame COMMAND --help`, which a parser returns as an
    /// error.
    fn or_help(self, words: &[OsString]) -> Result<Self, clap::Error> {
        let Command::Help { command } = self.command else { return Ok(self) };
        let program = words.first().cloned().unwrap_or_default();
        let asked = std::iter::once(program).chain(command).chain(std::iter::once("--help".into()));
        Self::read(&asked.collect::<Vec<_>>())
    }
}

/// Returns whether an unreadable command line asks for JSON.
pub fn wants_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// The command line of a call alone.
#[derive(Debug, Parser)]
#[command(name = "sesame", disable_help_subcommand = true)]
struct CallLine {
    #[command(flatten)]
    global: GlobalArguments,
    #[command(subcommand)]
    command: CallAlone,
}

#[derive(Debug, Subcommand)]
enum CallAlone {
    #[command(subcommand, alias = "ext")]
    Extension(CallOnly),
    #[command(flatten)]
    Everyday(CallOnly),
}

#[derive(Debug, Subcommand)]
enum CallOnly {
    Call(CallArguments),
    Run(RunArguments),
}

impl From<CallOnly> for EverydayCommand {
    fn from(call: CallOnly) -> Self {
        match call {
            CallOnly::Call(call) => Self::Call(call),
            CallOnly::Run(run) => Self::Run(run),
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArguments {
    /// Print data as JSON: one object with `schema_version`
    #[arg(long, global = true)]
    pub json: bool,
    /// Suppress notes and progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print details: the extension's output, reasons for compiling again
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Never use the network
    #[arg(long, global = true)]
    pub offline: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    #[command(flatten)]
    Everyday(Box<EverydayCommand>),
    /// All commands for extensions
    #[command(subcommand, visible_alias = "ext")]
    Extension(Box<ExtensionCommand>),
    /// Log in to registries, and list their tags
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Keep secrets for extensions in your keyring
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Wake extensions by events
    #[command(subcommand)]
    Session(SessionCommand),
    /// Manage trusted signers
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Show and check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check everything that sesame needs, and suggest fixes
    Doctor(ListingArguments<Diagnoses>),
    /// Install and call an extension in a temporary directory
    Demo(DemoArguments),
    /// Print or install a script that completes words in your shell
    Completions {
        /// `bash`, `zsh`, `fish`, `elvish` or `powershell`; without it, the shell that `SHELL`
        /// names
        shell: Option<Shell>,
        /// Put the script where the shell looks for it (bash, zsh and fish)
        #[arg(long)]
        install: bool,
    },
    /// Show the help of a command
    Help {
        /// The words of a command, such as `install` or `extension grant`
        #[arg(trailing_var_arg = true, add = ArgValueCompleter::new(completion::commands))]
        command: Vec<OsString>,
    },
    /// Print the JSON Schema of a document or of a command's object
    Schema {
        /// Such as `policy.toml`, `list` or `trust-list`; without it, all names are listed
        #[arg(add = ArgValueCompleter::new(completion::schemas))]
        name: Option<String>,
    },
    /// Write the manual pages
    Man {
        /// Output directory (created if missing). Pages of files go to `man5` beside a `man1`
        directory: PathBuf,
    },
    /// Ask an extension of Suffiks about a workload
    #[command(subcommand)]
    Workload(WorkloadCommand),
    /// Publish, fetch and test modules of Suffiks, as `extgen wasi` does
    #[command(subcommand)]
    Wasi(WasiCommand),
    /// Print the reference of all commands, as in `docs/commands.md`
    #[command(hide = true, name = "command-reference")]
    Reference,
    /// Compile in a bounded child process of `install`
    #[command(hide = true)]
    CompileExtension { jobs: Vec<OsString> },
    /// Hold the clipboard in a child process of `clipboard-write`
    #[command(hide = true)]
    HoldClipboard { display: Display },
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::arguments::everyday_form;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    /// Collects the summaries of all commands below this one, with their paths.
    fn summaries(
        command: &clap::Command,
        path: &str,
        found: &mut std::collections::BTreeMap<String, Vec<String>>,
    ) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let path = format!("{path} {}", below.get_name());
            let summary = below.get_about().map(ToString::to_string).unwrap_or_default();
            found.entry(summary).or_default().push(path.clone());
            summaries(below, &path, found);
        }
    }

    /// A doc comment on shared arguments would become the summary of each command.
    #[test]
    fn no_two_commands_share_a_summary() {
        let mut all = std::collections::BTreeMap::new();
        let mut command = Arguments::command();
        command.build();
        summaries(&command, "sesame", &mut all);
        assert!(all.len() > 50, "{}", all.len());
        for (summary, mut commands) in all {
            commands.retain(|path| everyday_form(path).is_none());
            assert!(commands.len() == 1 && !summary.is_empty(), "{summary:?}: {commands:?}");
        }
    }

    #[test]
    fn a_call_is_read_alike_by_its_own_parser_and_by_the_whole_one() {
        let lines = [
            "sesame extension call x greet World",
            "sesame ext run x greet -5 2.5 --stats",
            "sesame --json -q extension call x greet --json-args [1]",
            "sesame extension call -v x greet -- --help - --json",
            "sesame extension --offline call x f --bytes a",
            "sesame extension call x f --learn",
            "sesame extension call --json x f a b c",
            "sesame extension call",
            "sesame extension call X f",
            "sesame extension call x f --what",
            "sesame extension call x f -q -v",
            "sesame extension call x f --json-args [1] a",
            "sesame extension call --help",
            "sesame call x f",
            "sesame call x f -5 a --stats",
            "sesame --json run x -- --help",
            "sesame call --help",
            "sesame call",
            "sesame run",
            "sesame extension list call",
            "sesame extension info call",
            "sesame extension logs run",
            "sesame --version call",
        ];
        for line in lines {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            let shown = |read: Result<Arguments, clap::Error>| match read {
                Ok(arguments) => format!("{arguments:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(
                shown(Arguments::read(&words)),
                shown(Arguments::try_parse_from(&words)),
                "{line}"
            );
        }
    }

    /// Returns the commands in the fenced blocks of a document, without comments and continued
    /// lines.
    fn commands(document: &str) -> Vec<Vec<String>> {
        let joined = document.replace("\\\n", " ");
        let fenced: Vec<_> = joined.split("```").skip(1).step_by(2).flat_map(str::lines).collect();
        let commands = fenced
            .into_iter()
            .filter_map(|line| line.trim_start_matches("$ ").strip_prefix("sesame "));
        let words = |line: &str| {
            let code = line.split(" # ").next().unwrap_or(line).replace(['[', ']'], " ");
            // A quoted word stays one: where it has blanks does not matter here.
            let parts = code.split('\'').enumerate();
            let code: String = parts
                .map(|(index, part)| part.replace(' ', if index % 2 == 1 { "_" } else { " " }))
                .collect();
            let words = code
                .split_whitespace()
                .map(|word| word.split('|').next().unwrap_or(word).to_owned());
            std::iter::once("sesame".to_owned()).chain(words).collect()
        };
        commands.map(words).collect()
    }

    /// The pages of the book, without the reference that is made from the arguments themselves.
    fn pages(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                pages(&path, found);
            } else if path.extension().is_some_and(|suffix| suffix == "md")
                && !path.ends_with("commands.md")
            {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut documents = vec![root.join("README.md")];
        pages(&root.join("docs"), &mut documents);
        let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a document");
        let all: Vec<_> = documents.iter().flat_map(|path| commands(&read(path))).collect();
        assert!(all.len() > 100, "the commands are found: {}", all.len());
        for words in all {
            if let Err(error) = Arguments::try_parse_from(&words) {
                assert!(!error.use_stderr(), "{}: {error}", words.join(" "));
            }
        }
    }

    #[test]
    fn options_of_ours_may_stand_anywhere_before_the_dashes() {
        let parse =
            |line: &str| match Arguments::try_parse_from(line.split(' ')).expect(line).command {
                Command::Extension(command) => *command,
                other => panic!("{line}: {other:?}"),
            };
        for line in
            ["sesame extension call --stats x f -5 a", "sesame extension call x f -5 a --stats"]
        {
            let ExtensionCommand::Everyday(EverydayCommand::Call(call)) = parse(line) else {
                panic!("{line}")
            };
            assert!(call.stats && call.arguments == ["-5", "a"], "{line}: {call:?}");
        }
        let ExtensionCommand::Everyday(EverydayCommand::Call(call)) =
            parse("sesame ext call x f -- --stats -")
        else {
            panic!("a call");
        };
        assert!(!call.stats && call.arguments.is_empty() && call.data == ["--stats", "-"]);
    }
}
