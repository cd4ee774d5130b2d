// Gives exports the names of their interfaces, for which AssemblyScript does not have a word.

import binaryen from "assemblyscript/binaryen";

const NAMES = { handle: "open-sesame:extension/events@0.1.0#handle" };

export function afterCompile(module) {
  for (const [name, full] of Object.entries(NAMES)) {
    const { value } = binaryen.getExportInfo(module.getExport(name));
    module.removeExport(name);
    module.addFunctionExport(value, full);
  }
}
