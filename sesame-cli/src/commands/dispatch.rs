//! From a command of the command line to the file that runs it.

use super::administering::{config, doctor, gc, schema, shell};
use super::internal::{compile, hold_clipboard};
use super::permissions::{activity, events, grants, inspect, secret, storage, trust};
use super::session;
use super::sharing::{bundle, history, login, outdated, sync, verify};
use super::suffiks::{wasi_test, workload};
use super::using::{
    call, demo, docs, edit, exec, info, install, list, logs, remove, run, settings, update,
};
use super::writing::{build, dev, new, publish, sign, test, trigger};
use crate::arguments::{
    Command, ConfigCommand, EverydayCommand, ExtensionCommand, RegistryCommand, SecretCommand,
    SessionCommand, WasiCommand,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::service::start_for_woken;

/// Runs a command. Only what leads to a call may become one function with it: all commands in one have
/// a frame of a hundred KiB, whose pages each call would pay for.
pub fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Everyday(command) => everyday(context, *command),
        Command::Extension(command) => match *command {
            ExtensionCommand::Everyday(command) => everyday(context, command),
            command => extension(context, command),
        },
        command => beside_extensions(context, command),
    }
}

/// Runs a command that is neither an everyday one nor about extensions.
#[inline(never)]
fn beside_extensions(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Everyday(_) | Command::Extension(_) => unreachable!("`run` has taken these"),
        Command::Registry(RegistryCommand::Login {
            registry,
            username,
            password_stdin,
            store,
            no_verify,
        }) => {
            let order = login::LoginOrder {
                registry,
                username,
                password_stdin,
                store,
                is_tried: !no_verify,
            };
            login::login(context, order)
        }
        Command::Registry(RegistryCommand::List { .. }) => login::list(context),
        Command::Registry(RegistryCommand::Tags { repository, .. }) => {
            outdated::tags(context, &repository)
        }
        Command::Registry(RegistryCommand::Logout { registry }) => {
            login::logout(context, &registry)
        }
        Command::Secret(SecretCommand::Set { name, secret }) => {
            secret::set(context, &name, &secret)
        }
        Command::Secret(SecretCommand::List { name, .. }) => secret::list(context, &name),
        Command::Secret(SecretCommand::Remove { name, secret }) => {
            secret::remove(context, &name, &secret)
        }
        Command::Config(ConfigCommand::Show { origin, .. }) => config::show(context, origin),
        Command::Config(ConfigCommand::Validate) => config::validate(context),
        Command::Wasi(WasiCommand::Publish(arguments)) => publish::wasi(context, &arguments),
        Command::Wasi(WasiCommand::Download { reference, output }) => {
            publish::download(context, &reference, &output)
        }
        Command::Wasi(WasiCommand::Test { module, tests, ext }) => {
            wasi_test::run(context, &module, &tests, &ext)
        }
        Command::Workload(command) => workload::run(context, command),
        Command::Trust(command) => trust::run(context, command),
        Command::Doctor(_) => doctor::run(context),
        Command::Session(SessionCommand::Run { idle_exit, replace }) => {
            session::run::run(context, idle_exit, replace)
        }
        Command::Session(SessionCommand::Status) => session::status::run(context),
        Command::Session(SessionCommand::Emit { topic, payload }) => {
            session::emit::run(context, &topic, payload)
        }
        Command::Session(SessionCommand::Stop) => session::stop::run(context),
        Command::Session(SessionCommand::Install { remove, force }) => {
            session::install::run(context, remove, force)
        }
        Command::HoldClipboard { display } => hold_clipboard::run(display),
        Command::Demo(arguments) => demo::run(context, &arguments),
        Command::Completions { shell, install } => shell::completions(context, shell, install),
        Command::Reference => Ok(shell::reference()),
        Command::Help { .. } => {
            unreachable!("it is read as the `--help` of the command that it names")
        }
        Command::Schema { name } => schema::run(context, name.as_deref()),
        Command::Man { directory } => shell::manual(&directory),
        Command::CompileExtension { jobs } => compile::run(&jobs),
    }
}

/// What a command does to extensions and grants.
enum Effect {
    /// Nothing.
    None,
    /// It changes some.
    Change,
    /// After the change an event may wake an extension that none woke before.
    MayWaken,
}

impl Effect {
    fn of(command: &ExtensionCommand) -> Self {
        use ExtensionCommand::{
            Disable, Edit, Enable, Gc, Grant, Import, Pin, Revoke, Rollback, Set, Sync, Unpin,
            Unset, Verify,
        };
        match command {
            Enable { .. } | Grant(_) | Rollback(_) | Import(_) => Self::MayWaken,
            Sync(arguments) if !arguments.check && !arguments.dry_run => Self::MayWaken,
            Set(arguments) if !arguments.settings.is_empty() => Self::MayWaken,
            Unset { .. } | Edit { .. } | Verify { repair: true, .. } => Self::MayWaken,
            Disable { .. } | Revoke { .. } | Pin { .. } | Unpin { .. } => Self::Change,
            Gc { dry_run: false, .. } => Self::Change,
            _ => Self::None,
        }
    }

    fn of_everyday(command: &EverydayCommand) -> Self {
        match command {
            EverydayCommand::Install(_) => Self::MayWaken,
            EverydayCommand::Update(arguments) if !arguments.dry_run => Self::MayWaken,
            EverydayCommand::Remove(_) => Self::Change,
            _ => Self::None,
        }
    }

    /// Runs a command that has this effect, with what goes before and after it.
    fn around(
        self,
        context: &Context,
        run: impl FnOnce() -> Result<Outcome, Failure>,
    ) -> Result<Outcome, Failure> {
        if !matches!(self, Self::None) {
            sweep(context);
        }
        let outcome = run();
        // A command can fail after its change.
        if matches!(self, Self::MayWaken)
            && let Ok(manager) = context.manager()
        {
            start_for_woken(context, manager);
        }
        outcome
    }
}

/// Removes the leftovers of killed compilers with the next change, like those of killed changes.
fn sweep(context: &Context) {
    if let Ok(cache) = context.code_cache() {
        cache.sweep();
    }
}

fn everyday(context: &Context, command: EverydayCommand) -> Result<Outcome, Failure> {
    match command {
        EverydayCommand::Call(arguments) => call::run(context, arguments),
        command => beside_calls(context, command),
    }
}

/// Runs an everyday command that is not a call.
#[inline(never)]
fn beside_calls(context: &Context, command: EverydayCommand) -> Result<Outcome, Failure> {
    Effect::of_everyday(&command).around(context, || match command {
        EverydayCommand::Call(_) => unreachable!("`everyday` has taken these"),
        EverydayCommand::Install(arguments) => install::run(context, &arguments),
        EverydayCommand::List(arguments) if arguments.orphans => storage::orphans(context),
        EverydayCommand::List(_) => list::run(context),
        EverydayCommand::Run(arguments) => run::run(context, arguments),
        EverydayCommand::Info { name } => info::run(context, &name),
        EverydayCommand::Update(arguments) => update::run(context, &arguments),
        EverydayCommand::Remove(arguments) => {
            remove::run(context, &arguments.names, arguments.purge)
        }
    })
}

/// Runs a command of `extension` that is not an everyday one.
#[inline(never)]
fn extension(context: &Context, command: ExtensionCommand) -> Result<Outcome, Failure> {
    Effect::of(&command).around(context, || match command {
        ExtensionCommand::Everyday(_) => unreachable!("`run` has taken these"),
        ExtensionCommand::Enable { names } => grants::enable(context, &names, true),
        ExtensionCommand::Disable { names } => grants::enable(context, &names, false),
        ExtensionCommand::Grant(arguments) => grants::grant(context, &arguments),
        ExtensionCommand::Revoke { name, grants } => grants::revoke(context, &name, &grants),
        ExtensionCommand::Inspect { what, sha256 } => inspect::run(context, &what, sha256.as_ref()),
        ExtensionCommand::Why { name } => activity::why(context, &name),
        ExtensionCommand::Activity(arguments) => activity::run(context, arguments),
        ExtensionCommand::Events { name, log } => events::run(context, &name, log),
        ExtensionCommand::Trigger(arguments) => trigger::run(context, &arguments),
        ExtensionCommand::Watch(arguments) => session::watch::run(context, arguments),
        ExtensionCommand::Verify { what, repair, signer, .. } => {
            verify::run(context, &what, repair, signer.given())
        }
        ExtensionCommand::Outdated { names, .. } => outdated::run(context, names),
        ExtensionCommand::Pin { names } => grants::pin(context, &names, true),
        ExtensionCommand::Unpin { names } => grants::pin(context, &names, false),
        ExtensionCommand::History { name, .. } => history::run(context, &name),
        ExtensionCommand::Rollback(arguments) => history::roll_back(context, &arguments),
        ExtensionCommand::Gc { keep, dry_run, .. } => gc::run(context, keep, dry_run),
        ExtensionCommand::Sync(arguments) => sync::run(context, &arguments),
        ExtensionCommand::Docs(arguments) => docs::run(context, &arguments),
        ExtensionCommand::Exec(arguments) => exec::run(context, &arguments),
        ExtensionCommand::New(arguments) => new::run(context, &arguments),
        ExtensionCommand::Build => build::run(context),
        ExtensionCommand::Test(arguments) => test::run(context, &arguments),
        ExtensionCommand::Dev(arguments) => dev::run(context, &arguments),
        ExtensionCommand::Publish(arguments) => publish::run(context, &arguments),
        ExtensionCommand::Sign(arguments) => sign::run(context, &arguments),
        ExtensionCommand::Export(arguments) => bundle::export(context, &arguments),
        ExtensionCommand::Import(arguments) => bundle::import(context, &arguments),
        ExtensionCommand::Set(arguments) => settings::set(context, &arguments),
        ExtensionCommand::Unset { name, keys } => settings::unset(context, &name, &keys),
        ExtensionCommand::Storage(arguments) => storage::run(context, arguments),
        ExtensionCommand::Edit { name } => edit::run(context, &name),
        ExtensionCommand::Logs { name, lines, raw } => logs::run(context, &name, lines, raw),
    })
}
