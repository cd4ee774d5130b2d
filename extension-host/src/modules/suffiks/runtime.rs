//! The functions of the import module `suffiks`.

use core_types::{Request, ResourceKind, ResourceMethod};
use wasmtime::{Caller, Linker};

use super::messages::{GroupVersionResource, decode};
use super::resources::ResourceError;
use super::session::Session;
use crate::modules::{GuestMemory, ModuleFault, ModuleState};

/// The import module of the functions.
pub(crate) const IMPORT_MODULE: &str = "suffiks";

/// A function that takes bytes.
type Take = fn(&mut Session, &[u8]) -> Result<(), ModuleFault>;
/// A function that returns bytes, or none.
type Give = fn(&Session) -> Result<Option<Vec<u8>>, ModuleFault>;

/// The size of a decoded message.
#[derive(Clone, Copy)]
enum Weight {
    /// About its encoded size.
    Plain,
    /// A message of lists, whose empty elements take two bytes and become hundreds.
    Container,
    /// JSON, whose parts are counted.
    Json,
}

/// The maximum growth of a container when it is decoded and shown, as a factor: two encoded bytes
/// can be an empty element of several hundred.
const CONTAINER: usize = 350;

const TAKING: [(&str, Take, Weight); 8] = [
    ("AddEnv", Session::add_env, Weight::Plain),
    ("AddEnvFrom", Session::add_env_from, Weight::Plain),
    ("AddLabel", Session::add_label, Weight::Plain),
    ("AddAnnotation", Session::add_annotation, Weight::Plain),
    ("AddInitContainer", Session::add_init_container, Weight::Container),
    ("AddSidecar", Session::add_sidecar, Weight::Container),
    ("MergePatch", Session::merge_patch, Weight::Json),
    ("ValidationError", Session::validation_error, Weight::Plain),
];

const GIVING: [(&str, Give); 3] =
    [("GetOwner", Session::owner), ("GetSpec", Session::spec), ("GetOld", Session::old_spec)];

const RESOURCES: [(&str, ResourceMethod); 4] = [
    ("GetResource", ResourceMethod::Get),
    ("CreateResource", ResourceMethod::Create),
    ("UpdateResource", ResourceMethod::Update),
    ("DeleteResource", ResourceMethod::Delete),
];

/// The host's bookkeeping for each message, in bytes.
const MESSAGE_OVERHEAD: usize = 256;

/// Adds all functions.
pub(crate) fn add_to_linker(linker: &mut Linker<ModuleState>) -> wasmtime::Result<()> {
    for (name, take, weight) in TAKING {
        add_taking(linker, name, take, weight)?;
    }
    for (name, give) in GIVING {
        add_giving(linker, name, give)?;
    }
    for (name, method) in RESOURCES {
        add_resource(linker, name, method)?;
    }
    Ok(())
}

/// Returns the most similar function.
pub(crate) fn nearest_function(name: &str) -> String {
    let names = TAKING.iter().map(|(name, ..)| *name).chain(GIVING.iter().map(|(name, _)| *name));
    let names = names.chain(RESOURCES.iter().map(|(name, _)| *name));
    let nearest = names.min_by_key(|known| strsim::levenshtein(known, name)).unwrap_or_default();
    format!("{IMPORT_MODULE}.{nearest}")
}

fn add_taking(
    linker: &mut Linker<ModuleState>,
    name: &'static str,
    take: Take,
    weight: Weight,
) -> wasmtime::Result<()> {
    let function = move |mut caller: Caller<'_, ModuleState>,
                         address: u32,
                         length: u32|
          -> wasmtime::Result<()> {
        let bytes = bytes_of(&mut caller, address, length)?;
        let bounds = &mut caller.data_mut().bounds;
        match weight {
            Weight::Plain => {}
            Weight::Container => bounds.hold(bytes.len().saturating_mul(CONTAINER))?,
            Weight::Json => bounds.hold_json(&bytes)?,
        }
        let session = session(&mut caller, name)?;
        session.count(name)?;
        Ok(take(session, &bytes)?)
    };
    linker.func_wrap(IMPORT_MODULE, name, function).map(drop)
}

fn add_giving(
    linker: &mut Linker<ModuleState>,
    name: &'static str,
    give: Give,
) -> wasmtime::Result<()> {
    let added = linker.func_wrap_async(
        IMPORT_MODULE,
        name,
        move |mut caller: Caller<'_, ModuleState>, (): ()| {
            Box::new(async move {
                match give(session(&mut caller, name)?)? {
                    Some(bytes) => answer(&mut caller, &bytes).await,
                    None => Ok(0),
                }
            })
        },
    );
    added.map(drop)
}

/// The address and length of a message.
type Place = (u32, u32);

fn add_resource(
    linker: &mut Linker<ModuleState>,
    name: &'static str,
    method: ResourceMethod,
) -> wasmtime::Result<()> {
    let added = linker.func_wrap_async(
        IMPORT_MODULE,
        name,
        move |mut caller: Caller<'_, ModuleState>,
              (kind, kind_length, given, length): (u32, u32, u32, u32)| {
            Box::new(async move {
                match use_resource(
                    &mut caller,
                    (name, method),
                    (kind, kind_length),
                    (given, length),
                )? {
                    Ok(Some(bytes)) => answer(&mut caller, &bytes).await,
                    Ok(None) => Ok(0),
                    Err(code) => Ok(code as i64),
                }
            })
        },
    );
    added.map(drop)
}

fn use_resource(
    caller: &mut Caller<'_, ModuleState>,
    (name, method): (&'static str, ResourceMethod),
    (kind, kind_length): Place,
    (given, length): Place,
) -> wasmtime::Result<Result<Option<Vec<u8>>, ResourceError>> {
    let kind = bytes_of(caller, kind, kind_length)?;
    let given = bytes_of(caller, given, length)?;
    if matches!(method, ResourceMethod::Create | ResourceMethod::Update) {
        caller.data_mut().bounds.hold_json(&given)?;
    }
    let kind: GroupVersionResource = decode(name, "GroupVersionResource", &kind)?;
    let kind = ResourceKind {
        group: kind.group.unwrap_or_default(),
        version: kind.version.unwrap_or_default(),
        resource: kind.resource.unwrap_or_default(),
    };
    session(caller, name)?;
    if !kind.is_valid() {
        return Ok(Err(ResourceError::BadRequest));
    }
    if !caller.data().gate.allows(&Request::UseResource { kind: kind.clone(), method }) {
        return Ok(Err(ResourceError::Forbidden));
    }
    Ok(session(caller, name)?.use_resource(method, kind, &given))
}

fn session<'a>(
    caller: &'a mut Caller<'_, ModuleState>,
    function: &'static str,
) -> Result<&'a mut Session, ModuleFault> {
    let why = "without a workload, which `sesame workload` gives it";
    caller.data_mut().session.as_mut().ok_or(ModuleFault::WrongTime { function, why })
}

/// Reads the bytes that a module names, and counts them with their bookkeeping.
fn bytes_of(
    caller: &mut Caller<'_, ModuleState>,
    address: u32,
    length: u32,
) -> wasmtime::Result<Vec<u8>> {
    caller.data_mut().bounds.hold(MESSAGE_OVERHEAD)?;
    GuestMemory::of_caller(caller)?.read(caller, address, length)
}

async fn answer(caller: &mut Caller<'_, ModuleState>, bytes: &[u8]) -> wasmtime::Result<i64> {
    GuestMemory::of_caller(caller)?.give_packed(caller, bytes).await
}
