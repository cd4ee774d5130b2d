#compdef sesame
# Completes the words of sesame in zsh. The program itself says what could follow.
_sesame() {
    local -a ended open
    local line value
    for line in "${(@f)$(SESAME_COMPLETE=zsh sesame -- "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        line=${value//:/\\:}${line#$value}
        line=${line/$'\t'/:}
        if [[ $value == *[=:/] ]]; then
            open+=("$line")
        else
            ended+=("$line")
        fi
    done
    (( ${#ended} )) && _describe -V 'values' ended
    # More belongs to the same word.
    (( ${#open} )) && _describe -V 'beginnings' open -S ''
    return 0
}
# Found in a directory of functions, this file is called by its name; sourced, it says whom it is for.
if [[ ${funcstack[1]} == _sesame ]]; then
    _sesame "$@"
else
    compdef _sesame sesame
fi
