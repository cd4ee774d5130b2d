// Calls an installed extension from GJS, the JavaScript of GNOME.
//
// GJS loads C libraries by their introspection data, which is made from Sesame-1.gir:
//
//     g-ir-compiler Sesame-1.gir -o Sesame-1.typelib
//     export GI_TYPELIB_PATH=. LD_LIBRARY_PATH=../../target/capi
//     gjs -m greet.js greeting-extension greet '["World"]'
import Sesame from 'gi://Sesame?version=1';
import System from 'system';

const [name, func, args = '[]'] = System.programArgs;

function main(session) {
    const {extensions} = JSON.parse(Sesame.list(session));
    print(extensions.map(extension => extension.name).join(', '));
    const value = Sesame.call(session, name, func, args);
    if (value === null) {
        printerr(Sesame.last_error(session));
        return 1;
    }
    print(JSON.parse(value));
    return 0;
}

const session = Sesame.open();
if (session === 0) {
    printerr(Sesame.last_error(0));
    System.exit(1);
}
const code = main(session);
Sesame.close(session);
System.exit(code);
