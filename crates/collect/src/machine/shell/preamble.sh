# What the far side needs to answer batches. POSIX sh; every name begins with _p_, so that no variable of the
# environment is touched. NONCE, the table of secrets and the sed script are put in front of this.
#
# An answer is a mark (a line of nonce, probe and tag) and what follows it up to the next mark.

_p_ifs=$IFS
_p_nl='
'

_p_m() { printf '\n%s %s %s\n' "$_p_n" "$_p_k" "$1"; }

_p_redact() { LC_ALL=C sed -E -e "$_p_sed"; }

# Time limits: once, and only if a batch needs them.
_p_limits() {
  [ -z "${_p_limited-}" ] || return 0
  _p_limited=1 _p_session='' _p_timed=''
  if command -v setsid >/dev/null 2>&1; then _p_session=setsid; fi
  if timeout -s KILL 9 true >/dev/null 2>&1; then _p_timed='timeout -s KILL'; fi
  _p_to=${_p_timed:+$_p_timed 60}
}

_p_hashes() {
  [ -z "${_p_hashed-}" ] || return 0
  _p_hashed=1 _p_sum=''
  if command -v sha256sum >/dev/null 2>&1; then _p_sum=sha256sum
  elif command -v shasum >/dev/null 2>&1; then _p_sum='shasum -a 256'
  elif command -v openssl >/dev/null 2>&1; then _p_sum='openssl dgst -sha256 -r'
  fi
}

# Why a path that is not there is not there: absent, or out of sight.
_p_why() {
  if [ -h "$1" ]; then
    case $(LC_ALL=C ls -Ld -- "$1" 2>&1) in *'ermission denied'*) _p_m denied ;; *) _p_m absent ;; esac
    return
  fi
  _p_d=$1
  while :; do
    case $_p_d in */*) _p_d=${_p_d%/*} ;; *) _p_d=. ;; esac
    [ "$_p_d" ] || _p_d=/
    if [ -e "$_p_d" ]; then
      if [ -d "$_p_d" ] && [ ! -x "$_p_d" ]; then _p_m denied; else _p_m absent; fi
      return
    fi
    case $_p_d in / | .) _p_m absent; return ;; esac
  done
}

# Whether a regular file can be read; says why not.
_p_file() {
  if [ ! -e "$1" ]; then _p_why "$1"
  elif [ ! -f "$1" ]; then _p_m kind
  elif [ ! -r "$1" ]; then _p_m denied
  else
    # These call themselves regular files, and block.
    case $1 in */kmsg | */trace_pipe*) _p_m kind ;; *) return 0 ;; esac
  fi
  return 1
}

_p_folder() {
  if [ ! -e "$1" ]; then _p_why "$1"
  elif [ ! -d "$1" ]; then _p_m kind
  elif [ ! -r "$1" ] || [ ! -x "$1" ]; then _p_m denied
  else return 0
  fi
  return 1
}

_p_system() {
  _p_m ok
  uname -s -n -r -m
  if [ -r /proc/sys/kernel/version ]; then IFS= read -r _p_a </proc/sys/kernel/version; else _p_a=$(uname -v); fi
  _p_b=''
  [ ! -r /sys/devices/system/cpu/online ] || IFS= read -r _p_b </sys/devices/system/cpu/online
  if command -v getconf >/dev/null 2>&1; then
    _p_c=$(getconf PAGESIZE 2>/dev/null)
    [ "$_p_b" ] || _p_b=+$(getconf _NPROCESSORS_ONLN 2>/dev/null)
  else
    _p_c=''
    while read -r _p_d _p_e _p_f; do
      case $_p_d in KernelPageSize:) _p_c=$((_p_e * 1024)); break ;; esac
    done 2>/dev/null </proc/self/smaps
  fi
  printf '%s\n%s\n%s\n' "$_p_a" "$_p_b" "$_p_c"
  _p_m home
  printf %s "${HOME-}"
  _p_m folder
  pwd -P
}

# most, path
_p_read() { _p_file "$2" && { _p_m ok; head -c "$1" <"$2" || _p_m failed; }; }

# most, path, sed script
_p_lines() { _p_file "$2" && { _p_m ok; LC_ALL=C sed -e "$3" <"$2" | head -c "$1" || _p_m failed; }; }

# from, path, and perhaps a sed script: whether there are bytes from there on
_p_more() {
  _p_m ok
  if [ "$#" -gt 2 ]; then LC_ALL=C sed -e "$3" <"$2"; else cat <"$2"; fi | tail -c "+$1" | head -c 1 | wc -c
}

# path
_p_sha() {
  _p_file "$1" || return
  _p_limits
  _p_hashes
  if [ -z "$_p_sum" ]; then _p_m tool; return; fi
  _p_m ok
  $_p_to $_p_sum <"$1" || _p_m "ended $?"
}

# most, path
_p_list() {
  _p_folder "$2" || return
  _p_m ok
  _p_c=0
  for _p_f in "$2"/* "$2"/.[!.]* "$2"/..?*; do
    if [ -h "$_p_f" ]; then _p_t=l
    elif [ -f "$_p_f" ]; then _p_t=f
    elif [ -d "$_p_f" ]; then _p_t=d
    elif [ -e "$_p_f" ]; then _p_t=o
    else continue
    fi
    _p_c=$((_p_c + 1))
    if [ "$_p_c" -gt "$1" ]; then _p_m many; return; fi
    printf '\n%s %s %s\n%s' "$_p_n" "$_p_k" "$_p_t" "${_p_f##*/}"
  done
}

# most, root, arguments of find
_p_find() {
  _p_folder "$2" || return
  _p_limits
  _p_m ok
  (
    shift
    cd "$1" || exit
    shift
    LC_ALL=C $_p_to find . "$@" 2>/dev/null
    [ "$?" -lt 124 ] || _p_m late
  ) | head -n "$1"
}

# names
_p_which() {
  _p_m ok
  _p_i=$#
  while [ "$_p_i" -gt 0 ]; do
    _p_i=$((_p_i - 1)) _p_a=$1
    shift
    IFS=: ; set -f
    for _p_d in ${PATH-}; do
      case $_p_d in '' | -* | *"$_p_nl"*) continue ;; esac
      _p_f=$_p_d/$_p_a
      if [ -f "$_p_f" ] && [ -x "$_p_f" ]; then
        if [ -r "$_p_f" ]; then _p_t=c; else _p_t=u; fi
        printf '\n%s %s %s\n%s' "$_p_n" "$_p_k" "$_p_t" "$_p_f"
        set -- "$@" "$_p_f"
      fi
    done
    IFS=$_p_ifs ; set +f
  done
  [ "$#" -gt 0 ] || return 0
  _p_m stat
  stat -L -c '%s %Y %i' -- "$@" 2>/dev/null
  _p_m real
  realpath "$@" 2>/dev/null || { for _p_f do readlink -f "$_p_f"; done 2>/dev/null; }
  for _p_f do
    shift
    [ ! -r "$_p_f" ] || set -- "$@" "$_p_f"
  done
  [ "$#" -gt 0 ] || return 0
  _p_m head
  head -q -c 64 -- "$@" 2>/dev/null | od -An -v -tx1
}

# inner key, outer key; _p_want says which names
_p_env() {
  _p_hashes
  _p_all=''
  _p_exact=1
  if [ -r "/proc/$$/environ" ]; then
    _p_all=$(LC_ALL=C tr '\n\000' '\001\n' <"/proc/$$/environ")
  fi
  if [ -z "$_p_all" ]; then
    _p_exact=''
    _p_all=$(env)
  fi
  _p_m ok
  IFS=$_p_nl ; set -f
  for _p_l in $_p_all; do
    case $_p_l in ?*=*) ;; *) continue ;; esac
    _p_a=${_p_l%%=*} _p_v=${_p_l#*=}
    _p_want "$_p_a" || continue
    case $_p_a in
      *[!A-Za-z0-9_]* | [0-9]*)
        # No shell can name it.
        [ "$_p_exact" ] || continue
        case $_p_v in *"$_p_soh"*)
          _p_v=$(printf '%s.' "$_p_v" | LC_ALL=C tr '\001' '\n')
          _p_v=${_p_v%.} ;;
        esac ;;
      *)
        if [ -z "$_p_exact" ]; then
          case $_p_a in PWD | OLDPWD | SHLVL | _ | PPID | IFS | OPTIND) continue ;; esac
          # A line of another variable's value, unless there is such a variable.
          eval "_p_t=\${$_p_a+x}"
          [ "$_p_t" ] || continue
          eval "_p_v=\$$_p_a"
        else
          case $_p_v in *"$_p_soh"*) eval "_p_v=\$$_p_a" ;; esac
        fi ;;
    esac
    if _p_secret "$_p_a" "$_p_v"; then _p_mask "$1" "$2"
    else printf '\n%s %s p\n%s\n%s' "$_p_n" "$_p_k" "$_p_a" "$_p_v"
    fi
  done
  IFS=$_p_ifs ; set +f
}

_p_digest() { IFS=$_p_ifs; $_p_sum; }

# Of _p_a and _p_v; the value is in no argument of any process, as printf is the shell's own.
_p_mask() {
  if [ "$_p_sum" ]; then
    _p_d=$(printf '%s%s' "$1" "$_p_v" | _p_digest)
    _p_d=${_p_d%% *}
    if [ "${#_p_d}" -eq 64 ]; then
      _p_d=$(printf '%s%s' "$2" "$_p_d" | _p_digest)
      _p_d=${_p_d%% *}
      if [ "${#_p_d}" -eq 64 ]; then
        printf '\n%s %s k\n%s\n%s' "$_p_n" "$_p_k" "$_p_a" "$_p_d"
        return
      fi
    fi
  fi
  printf '\n%s %s x\n%s' "$_p_n" "$_p_k" "$_p_a"
}

# Whether there is such a program: sets _p_x to nothing, absent or denied.
_p_program() {
  _p_x=absent
  case $1 in
    */*)
      if [ -f "$1" ]; then
        if [ -x "$1" ]; then _p_x=''; else _p_x=denied; fi
      elif [ ! -e "$1" ]; then _p_x=why
      fi ;;
    *)
      IFS=: ; set -f
      for _p_d in ${PATH-}; do
        if [ "$_p_d" ] && [ -f "$_p_d/$1" ] && [ -x "$_p_d/$1" ]; then _p_x='' ; break; fi
      done
      IFS=$_p_ifs ; set +f ;;
  esac
}

_p_clock() {
  _p_u=-
  if [ -r /proc/uptime ]; then read -r _p_u _p_d </proc/uptime; fi
}

_p_no_time() { :; }

# probe, seconds, most, words. A link of a chain: runs its command while those before it run theirs, hands on what
# they said, then says its own. So commands run side by side, and nothing needs a file to wait in.
_p_run() {
  _p_k=$1 _p_t=$2 _p_c=$3
  shift 3
  exec 3<&0 </dev/null
  _p_program "$1"
  case $_p_x in
    '') ;;
    why) cat <&3; _p_why "$1"; return ;;
    *) cat <&3; _p_m "$_p_x"; return ;;
  esac
  _p_start="$_p_session ${_p_timed:+$_p_timed $_p_t}"
  _p_reader=${_p_timed:+$_p_timed $((_p_t + 2))}
  {
    _p_e=$(
      {
        _p_clock
        _p_b=$_p_u
        if [ "$_p_start" = ' ' ]; then
          (exec "$@") 2>&1 >&4 3<&- 4>&- &
        else
          $_p_start "$@" 2>&1 >&4 3<&- 4>&- &
        fi
        _p_p=$!
        if [ -z "$_p_timed" ]; then
          (sleep "$_p_t"; kill -KILL "-$_p_p"; kill -KILL "$_p_p") >/dev/null 2>&1 3<&- 4>&- &
          _p_w=$!
        fi
        wait "$_p_p"
        _p_s=$?
        kill -KILL "-$_p_p"
        [ "$_p_timed" ] || kill "$_p_w"
        _p_clock
        printf '\n%s %s s\n%s %s %s' "$_p_n" "$_p_k" "$_p_s" "$_p_b" "$_p_u" >&4
      } 2>/dev/null | $_p_reader head -c "$((_p_c + 1))" 3<&- 4>&-
      printf .
    )
    printf '\n%s %s e\n%s' "$_p_n" "$_p_k" "${_p_e%.}" >&4
  } 4>&1 2>/dev/null | {
    cat <&3
    _p_m ok
    $_p_reader head -c "$((_p_c + _p_c + 400))" 3<&- 2>/dev/null
    _p_m done
  }
}
