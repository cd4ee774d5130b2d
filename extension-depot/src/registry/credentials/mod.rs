//! Logins: those that the user names, those that sesame keeps, and those of other tools.

mod check_login;
pub(crate) mod credential;
mod helper;
mod login_file;
mod logins;
pub(crate) mod lookup;

pub use check_login::LoginCheck;
pub use credential::{Credential, CredentialFiles, LoginPlace, LoginProblem, Notice};
pub use logins::{KeptLogin, LoginError, LoginStore, forget_login, kept_logins, store_login};
