//! The contents of both files. Those of packages are the templates.

use core_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::activation::program::ServiceProgram;

/// The unit as packages have it.
const UNIT: &str = include_str!("../../../packaging/systemd/org.opensesame.Extensions.service");
/// The file for the bus as packages have it.
const BUS_FILE: &str = include_str!("../../../packaging/dbus-1/org.opensesame.Extensions1.service");
/// The program of packages, at the beginning of the only line that differs.
const PACKAGED: &str = "/usr/bin/sesame";
/// The beginning of the first line of a file that this library wrote. The digest of the rest tells
/// whether somebody has edited it.
const MARK: &str =
    "# Written by `sesame session install`, which replaces it while it is unchanged: ";

/// Returns the unit that starts this program.
pub(super) fn unit(program: &ServiceProgram) -> String {
    marked(&UNIT.replacen(PACKAGED, &program.in_unit(), 1))
}

/// Returns the file by which the bus starts this program.
pub(super) fn bus_file(program: &ServiceProgram) -> String {
    marked(&BUS_FILE.replacen(PACKAGED, &program.in_bus_file(), 1))
}

fn marked(text: &str) -> String {
    format!("{MARK}{}\n{text}", digest(text))
}

fn digest(text: &str) -> Digest {
    Digest::from_sha256(Sha256::digest(text).into())
}

/// Returns whether this library wrote a file, and if so, whether it is still as it was written.
pub(super) fn is_unchanged(text: &str) -> Option<bool> {
    let (first, rest) = text.strip_prefix(MARK)?.split_once('\n')?;
    Some(first == digest(rest).to_string())
}

#[cfg(test)]
mod tests {
    use core_types::{BUS_NAME, SESSION_UNIT};

    use super::*;

    fn program(path: &str) -> ServiceProgram {
        ServiceProgram::at(path.into()).expect(path)
    }

    /// The files have the names that everything else uses, and start nothing else.
    #[test]
    fn templates_name_bus_and_unit() {
        for (template, line) in [
            (UNIT, format!("BusName={BUS_NAME}")),
            (UNIT, format!("ExecStart={PACKAGED} session run")),
            (BUS_FILE, format!("Name={BUS_NAME}")),
            (BUS_FILE, format!("SystemdService={SESSION_UNIT}")),
            (BUS_FILE, format!("Exec={PACKAGED} session run")),
        ] {
            assert!(template.lines().any(|found| found == line), "{line}");
            assert_eq!(template.matches(PACKAGED).count(), 1, "{line}");
        }
    }

    #[test]
    fn own_program_is_in_both() {
        let program = program("/home/ada/my bin/sesame");
        let (unit, bus_file) = (unit(&program), bus_file(&program));
        assert!(unit.contains("\nExecStart=\"/home/ada/my bin/sesame\" session run\n"), "{unit}");
        assert!(bus_file.contains("\nExec='/home/ada/my bin/sesame' session run\n"), "{bus_file}");
        assert!(unit.starts_with(MARK) && bus_file.starts_with(MARK));
    }

    #[test]
    fn edited_file_is_noticed() {
        let text = unit(&program("/opt/sesame"));
        assert_eq!(is_unchanged(&text), Some(true));
        assert_eq!(is_unchanged(&text.replace("512M", "1G")), Some(false));
        assert_eq!(is_unchanged(&format!("{text}\n")), Some(false));
        assert_eq!(is_unchanged(&text.replacen("sha256:", "sha256:0", 1)), Some(false));
        assert_eq!(is_unchanged(UNIT), None);
        assert_eq!(is_unchanged(""), None);
    }
}
