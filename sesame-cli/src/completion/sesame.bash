# Completes the words of sesame in bash 4 or later. The program itself says what could follow.
_sesame() {
    # Bash splits words at `:` and `=`, which references and permissions have in them, so the program gets the line as it
    # is, and the part of the last word that bash will replace.
    mapfile -t COMPREPLY < <(SESAME_COMPLETE=bash sesame -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _sesame sesame 2>/dev/null || complete -F _sesame sesame
