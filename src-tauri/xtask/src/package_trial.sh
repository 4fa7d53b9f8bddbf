# A package as a person meets it: installed, started from the menu, a link clicked, used by two for an evening, removed. Called
# by `package.rs` with the package in DEB, its name in NAME, the test of the window in EVENING and a folder in DIR, in namespaces
# of its own: what is mounted, installed and started here is gone when this ends.
set -eu
fail() { echo "$1" >&2; [ ! -f "$DIR/log" ] || cat "$DIR/log" >&2; exit 1; }

ENTRY=/usr/share/applications/SynxSphere.desktop
METAINFO=/usr/share/metainfo/org.synxsphere.desktop.metainfo.xml
INSTALLED="/usr/bin/synxsphere $ENTRY $METAINFO /usr/share/icons/hicolor/128x128/apps/synxsphere.png
  /usr/share/icons/hicolor/scalable/apps/synxsphere.svg /usr/share/doc/$NAME/copyright"

# The system under a layer that takes all that is written.
mkdir -p "$DIR/layer" "$DIR/home"
mount -t tmpfs none "$DIR/layer"
for folder in usr etc var; do
  mkdir "$DIR/layer/$folder" "$DIR/layer/$folder.work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$DIR/layer/$folder,workdir=$DIR/layer/$folder.work" "/$folder"
done

dpkg --install "$DEB"
for path in $INSTALLED; do [ -e "$path" ] || fail "the package did not bring $path"; done
desktop-file-validate "$ENTRY" || fail 'the desktop entry is not as desktops want it'
appstreamcli validate --no-net "$METAINFO" || fail 'the description for software centres is not as they want it'
for type in x-scheme-handler/synxsphere audio/mpeg audio/flac audio/x-opus+ogg; do
  gio mime "$type" | grep -q SynxSphere.desktop || fail "$type does not lead to the app"
done

cat > "$DIR/session" <<'SESSION'
set -eu
fail() { echo "$1" >&2; cat "$DIR/log" >&2; exit 1; }
opened() { grep -c 'a link was opened' "$DIR/log" || true; }
await() { for _ in $(seq 300); do [ "$(opened)" -ge "$1" ] && return 0; sleep 0.1; done; fail "$2"; }
export HOME="$DIR/home" SYNX_LOG=info SYNX_DATA_DIR="$DIR/data" SYNX_DEVICE=null
gio launch "$ENTRY" 'synxsphere://join?v=1&room=none' 2> "$DIR/log" || fail 'the desktop entry does not start the app'
await 1 'the app did not start with a link'
gio open 'synxsphere://join?v=1&room=other' || fail 'a link cannot be opened'
await 2 'a click on a link did not reach the app that runs'
[ "$(pgrep -cx synxsphere)" -ge 1 ] || fail 'the app has ended'
SYNXSPHERE_BIN=/usr/bin/synxsphere "$EVENING" evening:: > "$DIR/evening" 2>&1 && grep -q ' 1 passed' "$DIR/evening" || {
    cat "$DIR/evening" >&2
    fail 'two who are new to it do not get through an evening'
}
SESSION
export ENTRY EVENING
xvfb-run --auto-servernum dbus-run-session -- sh "$DIR/session"

dpkg --purge "$NAME"
for path in $INSTALLED; do [ ! -e "$path" ] || fail "$path is still there after the package was removed"; done
