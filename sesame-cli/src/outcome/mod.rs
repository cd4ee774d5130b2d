//! The outcomes of commands. Everything that is shown comes from here: [`Outcome`] has one variant
//! for each kind of output, and the other files have the values in it, as `render` prints them.

mod command_outcome;
mod events;
mod installation;
mod publishing;
mod report;
mod session;
mod session_files;
mod storage;
mod testing;
mod workload;

pub use command_outcome::Outcome;
pub use events::{DeliveredEvent, DeliveryRow, EventRow, EventState, WakingEvents};
pub use installation::{
    Collection, Denied, Direction, Freshness, Installation, PastGeneration, Removal, Replaced,
    Rollback, Step, StepState, Update, nothing_to_call,
};
pub use publishing::{DocsPage, Published};
pub use report::{
    Asked, Call, Change, Check, ConfigValue, DecidedImport, Diagnosis, FileCheck, Health, Info,
    Inspection, Learned, Refusal, Row, SettingRow, Settings, State, Trust, split_log_line,
};
pub use session::{SessionExtension, SessionService, SessionSource};
pub use session_files::{ServiceInstallation, ServiceState};
pub use storage::{StorageReport, StoredKey};
pub use testing::{TestedCase, TestedFile};
pub use workload::WorkloadReport;
