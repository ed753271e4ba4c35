# Secrets written within a value: the steps of within.rs. What stands between two at-signs is filled in there.
_p_secret_within() {
  case $1 in
    *[:=@]* | *-* | *%40*) ;;
    *) return 1 ;;
  esac
  _p_s_ifs=${IFS-' 	
'}
  case $- in
    *f*) _p_s_f= ;;
    *) _p_s_f=1; set -f ;;
  esac
  if _p_secret_urls "$1" || _p_secret_lines "$1"; then _p_s_r=0; else _p_s_r=1; fi
  IFS=$_p_s_ifs
  case $_p_s_f in 1) set +f ;; esac
  return $_p_s_r
}
_p_secret_urls() {
  case $1 in *@* | *%40*) ;; *) return 1 ;; esac
  IFS=@BETWEEN_URLS@
  for _p_s_w in $1; do
    case $_p_s_w in
      *@*) case $_p_s_w in *:*) if _p_secret_has_password "$_p_s_w"; then return 0; fi ;; esac ;;
    esac
    case $_p_s_w in
      *%40*)
        [ ${#_p_s_w} -le @WORD_LIMIT@ ] || return 0
        case $_p_s_w in *%2[Ff]%2[Ff]*%3[Aa]*%40*) return 0 ;; esac ;;
    esac
  done
  return 1
}
_p_secret_lines() {
  IFS='
'
  for _p_s_l in $1; do
    if _p_secret_line "$_p_s_l"; then return 0; fi
  done
  return 1
}
_p_secret_line() {
  IFS=@BETWEEN_WORDS@
  _p_s_k= _p_s_b=
  for _p_s_w in $1; do
    case $_p_s_w in '') continue ;; esac
    case $_p_s_k in
      value)
        case $_p_s_w in *[!:=]*) ;; *) continue ;; esac
        _p_secret_open_value "$_p_s_w" || return 0 ;;
      argument)
        case $_p_s_w in -*) ;; *) return 0 ;; esac ;;
    esac
    _p_s_k=
    if _p_secret_word; then return 0; fi
    _p_s_b=$_p_s_w
  done
  return 1
}
_p_secret_word() {
  case $_p_s_w in
    [:=]*)
      _p_secret_name_within "$_p_s_b" || return 1
      case $_p_s_w in
        *[!:=]*) if _p_secret_open_value "${_p_s_w#?}"; then return 1; fi; return 0 ;;
      esac
      _p_s_k=value
      return 1 ;;
  esac
  case $_p_s_w in *:*) if _p_secret_sticks "$_p_s_w"; then return 0; fi ;; esac
  case $_p_s_w in
    *=*) _p_secret_parts ;;
    *:) if _p_secret_name_within "${_p_s_w%:}"; then _p_s_k=value; fi; return 1 ;;
    -*) if _p_secret_name_within "$_p_s_w"; then _p_s_k=argument; fi; return 1 ;;
    *) return 1 ;;
  esac
}
_p_secret_parts() {
  _p_s_a=
  IFS==
  for _p_s_v in $_p_s_w; do
    case $_p_s_v in '') continue ;; esac
    case $_p_s_a in
      '') ;;
      *) if _p_secret_name_within "$_p_s_a" && ! _p_secret_open_value "$_p_s_v"; then return 0; fi ;;
    esac
    _p_s_a=$_p_s_v
  done
  case $_p_s_w in *=) if _p_secret_name_within "$_p_s_a"; then _p_s_k=value; fi ;; esac
  return 1
}
_p_secret_sticks() {
  _p_s_a=${1%%:*}
  [ ${#_p_s_a} -le @NAME_LIMIT@ ] || return 1
  case $_p_s_a in */*) return 1 ;; esac
  case ${_p_s_a##*[!@WORD@]} in @STICKING_NAMES@) ;; *) return 1 ;; esac
  _p_s_a=${1#*:}
  case $_p_s_a in '' | /* | latest) return 1 ;; *[!0123456789.]*) ;; *) return 1 ;; esac
  if _p_secret_open_value "$_p_s_a"; then return 1; fi
}
_p_secret_open_value() {
  case $1 in
    null | true | false | null[]}]* | true[]}]* | false[]}]*) return 0 ;;
    *[!][{}~]*) return 1 ;;
  esac
}
_p_secret_name_within() {
  [ ${#1} -le @NAME_LIMIT@ ] || return 1
  _p_s_n=${1##*[!@WORD@]}
  _p_s_n=${_p_s_n#-}
  _p_s_n=${_p_s_n#-}
  case $_p_s_n in
    '') return 1 ;;
    @NAMES_WITHIN@) return 0 ;;
  esac
  _p_secret_name "$_p_s_n"
}
_p_secret_has_password() {
  [ ${#1} -le @WORD_LIMIT@ ] || return 0
  case $1 in *:oracle:thin:*/*@* | *:oracle:oci:*/*@*) return 0 ;; esac
  _p_s_g=:/
  case $1 in
    //*) ;;
    /* | ./* | ../* | '~'*) _p_s_g=:// ;;
  esac
  _p_s_u=$1
  case $1 in
    *"$_p_s_g"*)
      while :; do
        case $_p_s_u in *"$_p_s_g"*) ;; *) return 1 ;; esac
        _p_s_s=${_p_s_u%%"$_p_s_g"*}
        _p_s_u=${_p_s_u#*"$_p_s_g"}
        if _p_secret_authority "${_p_s_u#/}"; then return 0; fi
      done ;;
  esac
  case $_p_s_g in ://) return 1 ;; esac
  if _p_secret_plain_password "$1"; then return 0; fi
  IFS=,
  for _p_s_v in $1; do
    if _p_secret_plain_password "$_p_s_v"; then IFS=@BETWEEN_URLS@; return 0; fi
  done
  IFS=@BETWEEN_URLS@
  return 1
}
_p_secret_authority() {
  _p_s_a=${1%%[/?#]*}
  case $_p_s_a in
    *@*)
      case ${_p_s_a##*@} in '' | sha[0123456789]*:*) return 1 ;; esac
      _p_s_a=${_p_s_a%@*}
      case $_p_s_a in *:?*) return 0 ;; esac
      case $_p_s_s in *ssh) return 1 ;; esac
      [ ${#_p_s_a} -ge @TOKEN_USER@ ]
      return ;;
    \[*) return 1 ;;
    *:*) ;;
    *) return 1 ;;
  esac
  case $1 in *@*) ;; *) return 1 ;; esac
  case ${_p_s_a##*:} in *[!0123456789]*) return 0 ;; esac
  return 1
}
_p_secret_plain_password() {
  case $1 in *:*@*) ;; *) return 1 ;; esac
  _p_s_a=${1%%:*}
  _p_s_p=${1#*:}
  case ${_p_s_p##*@} in '' | sha[0123456789]*:* | npm:* | patch:* | workspace:* | '{'*) return 1 ;; esac
  _p_s_p=${_p_s_p%@*}
  case $_p_s_a in *@*) return 1 ;; esac
  _p_s_d=${_p_s_a##*[!@WORD@]}
  case $_p_s_d in '' | @OPEN_LABELS@) return 1 ;; esac
  case ${_p_s_a%"$_p_s_d"} in '' | *[=\(,\;\|]) ;; *) return 1 ;; esac
  case $_p_s_p in '' | [/\\@]* | *:) return 1 ;; esac
  case $_p_s_d in
    [0123456789]*) case $_p_s_p in *[!0123456789:.+-]*) ;; *) return 1 ;; esac ;;
  esac
  case $_p_s_p in
    *[/,]*) case ${_p_s_p%%[/,]*} in *[!0123456789]*) ;; *) return 1 ;; esac ;;
  esac
  return 0
}
