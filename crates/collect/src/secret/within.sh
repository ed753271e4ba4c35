_p_within() {
  case $1 in
    *[:=@]* | *-*) ;;
    *) return 1 ;;
  esac
  _ps_ifs=${IFS-' 	
'}
  case $- in
    *f*) _ps_f= ;;
    *) _ps_f=1; set -f ;;
  esac
  if _p_urls "$1" || _p_lines "$1"; then _ps_r=0; else _ps_r=1; fi
  IFS=$_ps_ifs
  case $_ps_f in 1) set +f ;; esac
  return $_ps_r
}
_p_urls() {
  case $1 in *@*) ;; *) return 1 ;; esac
  IFS=@BETWEEN_URLS@
  for _ps_w in $1; do
    case $_ps_w in
      *:*@* | *@*:*) if _p_has_password "$_ps_w"; then return 0; fi ;;
    esac
  done
  return 1
}
_p_lines() {
  IFS='
'
  for _ps_l in $1; do
    if _p_line "$_ps_l"; then return 0; fi
  done
  return 1
}
_p_line() {
  IFS=@BETWEEN_WORDS@
  _ps_k= _ps_b=
  for _ps_w in $1; do
    case $_ps_w in '') continue ;; esac
    case $_ps_k in
      value)
        case $_ps_w in *[!:=]*) ;; *) continue ;; esac
        _p_open_value "$_ps_w" || return 0 ;;
      argument)
        case $_ps_w in -*) ;; *) return 0 ;; esac ;;
    esac
    _ps_k=
    if _p_word; then return 0; fi
    _ps_b=$_ps_w
  done
  return 1
}
_p_word() {
  case $_ps_w in
    [:=]*)
      _p_name_within "$_ps_b" || return 1
      case $_ps_w in
        *[!:=]*) if _p_open_value "${_ps_w#?}"; then return 1; fi; return 0 ;;
      esac
      _ps_k=value
      return 1 ;;
  esac
  case $_ps_w in *:*) if _p_sticks "$_ps_w"; then return 0; fi ;; esac
  case $_ps_w in
    *=*) _p_parts ;;
    *:) if _p_name_within "${_ps_w%:}"; then _ps_k=value; fi; return 1 ;;
    -*) if _p_name_within "$_ps_w"; then _ps_k=argument; fi; return 1 ;;
    *) return 1 ;;
  esac
}
_p_parts() {
  _ps_a=
  IFS==
  for _ps_v in $_ps_w; do
    case $_ps_v in '') continue ;; esac
    case $_ps_a in
      '') ;;
      *) if _p_name_within "$_ps_a" && ! _p_open_value "$_ps_v"; then return 0; fi ;;
    esac
    _ps_a=$_ps_v
  done
  case $_ps_w in *=) if _p_name_within "$_ps_a"; then _ps_k=value; fi ;; esac
  return 1
}
_p_sticks() {
  _ps_a=${1%%:*}
  [ ${#_ps_a} -le @NAME_LIMIT@ ] || return 1
  case $_ps_a in */*) return 1 ;; esac
  case ${_ps_a##*[!@WORD@]} in @STICKING_NAMES@) ;; *) return 1 ;; esac
  _ps_a=${1#*:}
  case $_ps_a in '' | /* | latest) return 1 ;; *[!0123456789.]*) ;; *) return 1 ;; esac
  if _p_open_value "$_ps_a"; then return 1; fi
}
_p_open_value() {
  case $1 in
    null | true | false | null[]}]* | true[]}]* | false[]}]*) return 0 ;;
    *[!][{}~]*) return 1 ;;
  esac
}
_p_name_within() {
  [ ${#1} -le @NAME_LIMIT@ ] || return 1
  _ps_n=${1##*[!@WORD@]}
  _ps_n=${_ps_n#-}
  _ps_n=${_ps_n#-}
  case $_ps_n in
    '') return 1 ;;
    @NAMES_WITHIN@) return 0 ;;
  esac
  _p_secret_name "$_ps_n"
}
_p_has_password() {
  [ ${#1} -le @WORD_LIMIT@ ] || return 0
  _ps_g=:/
  case $1 in
    //*) ;;
    /* | ./* | ../* | '~'*) _ps_g=:// ;;
  esac
  _ps_u=$1
  case $1 in
    *"$_ps_g"*)
      while :; do
        case $_ps_u in *"$_ps_g"*) ;; *) return 1 ;; esac
        _ps_s=${_ps_u%%"$_ps_g"*}
        _ps_u=${_ps_u#*"$_ps_g"}
        if _p_authority "${_ps_u#/}"; then return 0; fi
      done ;;
  esac
  case $_ps_g in ://) return 1 ;; esac
  if _p_plain_password "$1"; then return 0; fi
  IFS=,
  for _ps_v in $1; do
    if _p_plain_password "$_ps_v"; then IFS=@BETWEEN_URLS@; return 0; fi
  done
  IFS=@BETWEEN_URLS@
  return 1
}
_p_authority() {
  _ps_a=${1%%[/?#]*}
  case $_ps_a in
    *@*)
      case ${_ps_a##*@} in '' | sha[0123456789]*:*) return 1 ;; esac
      _ps_a=${_ps_a%@*}
      case $_ps_a in *:?*) return 0 ;; esac
      case $_ps_s in *ssh) return 1 ;; esac
      [ ${#_ps_a} -ge @TOKEN_USER@ ]
      return ;;
    \[*) return 1 ;;
    *:*) ;;
    *) return 1 ;;
  esac
  case $1 in *@*) ;; *) return 1 ;; esac
  case ${_ps_a##*:} in *[!0123456789]*) return 0 ;; esac
  return 1
}
_p_plain_password() {
  case $1 in *:*@*) ;; *) return 1 ;; esac
  _ps_a=${1%%:*}
  _ps_p=${1#*:}
  case ${_ps_p##*@} in '' | sha[0123456789]*:* | npm:* | patch:* | workspace:* | '{'*) return 1 ;; esac
  _ps_p=${_ps_p%@*}
  case $_ps_a in *@*) return 1 ;; esac
  _ps_d=${_ps_a##*[!@WORD@]}
  case $_ps_d in '' | @OPEN_LABELS@) return 1 ;; esac
  case ${_ps_a%"$_ps_d"} in '' | *[=\(,\;\|]) ;; *) return 1 ;; esac
  case $_ps_p in '' | [/\\@]* | *:) return 1 ;; esac
  case $_ps_d in
    [0123456789]*) case $_ps_p in *[!0123456789:.+-]*) ;; *) return 1 ;; esac ;;
  esac
  case $_ps_p in
    *[/,]*) case ${_ps_p%%[/,]*} in *[!0123456789]*) ;; *) return 1 ;; esac ;;
  esac
  return 0
}
