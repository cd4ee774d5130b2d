// A component: the host calls the functions in exports.
package main

import _ "local/@NAME@/exports/wit_exports"

func main() {}
