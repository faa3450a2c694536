# The last one to leave: stops what the lab started and removes its folder, however the lab itself ended.
#   sh -c "$(cat reaper.sh)" pgtriage-lab-reaper FOLDER
# Its standard input is a pipe whose only writer is the lab. While the lab lives it names its programs there, one a line; when the lab
# ends, be it by kill -9, the pipe ends. A process is ours if it runs one of those programs AND works in the folder: a shell or a
# `tail` that someone has there is left alone, and so is any server elsewhere.
folder=$1
programs='
'
trap '' HUP INT QUIT TERM
cd / || exit 1
case $folder in */pgtriage-lab.*) ;; *) exit 1 ;; esac
while IFS= read -r program; do
  programs="$programs$program
"
done

ours() {
  # shellcheck disable=SC2012 # one ls for all processes, instead of a fork for each
  ls -l /proc/[0-9]*/cwd 2>/dev/null | sed -n "s|.* /proc/\([0-9]*\)/cwd -> $folder\(/.*\)\{0,1\}\$|\1|p" | while read -r pid; do
    program=$(readlink "/proc/$pid/exe" 2>/dev/null) || continue
    case $programs in *"
$program
"*) echo "$pid ${program##*/}" ;; esac
  done
}
postmasters() {
  for file in "$folder"/*/postmaster.pid; do
    [ -f "$file" ] && head -n 1 "$file"
  done
}
send() { # signal pid...
  signal=$1
  shift
  [ $# = 0 ] || kill "-$signal" "$@" 2>/dev/null
}

clean() {
  round=0
  while [ "$round" -lt 100 ]; do
    found=$(ours)
    [ -n "$found" ] || return
    pids=$(echo "$found" | sed 's/ .*//')
    if [ "$round" = 0 ]; then
      # Data that is thrown away needs no checkpoint, so postmasters get QUIT (immediate shutdown) and end their backends themselves.
      # A stopped process hears nothing before CONT.
      roots=" $(postmasters | tr '\n' ' ')"
      echo "$found" | while read -r pid name; do
        case "$name $roots" in
        "postgres "*" $pid "*) send QUIT "$pid" ;;
        "postgres "*) ;;
        *) send TERM "$pid" ;;
        esac
        send CONT "$pid"
      done
    elif [ "$round" = 40 ]; then
      # shellcheck disable=SC2086 # a list of numbers
      send KILL $pids
    fi
    round=$((round + 1))
    sleep 0.1
  done
}
clean
rm -rf -- "$folder"
clean
rm -rf -- "$folder"
