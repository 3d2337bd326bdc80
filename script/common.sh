# What the scripts share: the Debian packages that the project needs, installing those that are missing, building. Sourced.

packages_build=(gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libcjson-dev libsqlite3-dev libzmq3-dev libxxhash-dev
                libmd-dev libmicrohttpd-dev libjs-chart.js)
packages_test=(libcmocka-dev python3 python3-jsonschema python3-yaml curl socat libxml2-utils)
packages_ci=(clang clang-format libclang-rt-dev chromium chromium-driver python3-selenium parallel slurm-wlm)

# install_packages NAME...: installs those that are missing; stops with a clear line where it cannot.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return 0

    local sudo=()
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These packages are missing, and there is no apt-get to install them: ${missing[*]}" >&2
        echo "The names are Debian's; install what your system calls them and start again." >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "These packages are missing: ${missing[*]}" >&2
            echo "Installing them needs root, and there is no sudo here. As root: apt-get install ${missing[*]}" >&2
            return 1
        fi
        sudo=(sudo)
    fi
    echo "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get -q update >/dev/null || echo "apt-get update failed; trying with the lists that are here" >&2
    if ! "${sudo[@]}" apt-get -q -y --no-install-recommends install "${missing[@]}" >/dev/null; then
        echo "apt-get could not install: ${missing[*]}" >&2
        return 1
    fi
}

# build PRESET [TARGET...]: prints the last line, or everything where it fails.
build() {
    local preset=$1 log status=0
    shift
    log=$(mktemp)
    cmake --build --preset "$preset" ${1:+--target "$@"} >"$log" 2>&1 || status=$?
    if [ $status -eq 0 ]; then tail -n 1 "$log"; else cat "$log" >&2; fi
    rm -f "$log"
    return $status
}
