#!/usr/bin/env bash
# Runs the specification on an aarch64 processor that is played: qemu's neoverse-n1, in a Debian for arm64.
#   self_tests/silence/played_aarch64.sh FOLDER [TORCH_VERSION] [-- PYTEST ARGUMENTS]
# FOLDER keeps the Debian and the packages of each torch; what is not there yet is built. TORCH_VERSION is 2.13.0
# unless given (its BLAS is NVPL; that of 2.9.1 is OpenBLAS). The checkout is copied afresh each time, to
# FOLDER/debian/checkout, where what a run writes (--report) stays until the next. Exits with pytest's code.
# Needs root (for chroot and mounts), debootstrap, qemu-user-static, Python 3.11 or later with pip, and 1.5 GB. Takes
# three minutes to build, half a minute to import torch, and an hour for all cases of the CPU, in one process: `-n`
# needs a kernel that starts arm64 programs by itself (binfmt-support: update-binfmts --enable qemu-aarch64).
set -euo pipefail
die() { echo "played_aarch64.sh: $1" >&2; exit 2; }

# Runs a program of the Debian. The mounts are in a namespace of their own, so they are gone with its last process,
# however that ends. /sys is not mounted: torch crashes when it reads of x86 processors there.
played() {
    unshare --mount bash -euc '
        mount --bind /proc "$0/proc"
        mount --bind "$0/etc/cpuinfo" "$0/proc/cpuinfo"
        mount --rbind /dev "$0/dev"
        exec env -i HOME=/root USER=root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin QEMU_CPU=neoverse-n1 \
            PYTHONPATH="/packages/$1" unshare --root="$0" --wd=/checkout /usr/bin/qemu-aarch64-static "${@:2}"
    ' "$root" "$version" "$@"
}

# The packages are unpacked and never configured: Python does without, and no arm64 program has to run for it.
build_debian() {
    local to="$root.part" cpu="$root.part/sys/devices/system/cpu" deb
    debootstrap --foreign --arch=arm64 --variant=minbase --include=python3,binutils bookworm "$to" \
        > "$folder/debootstrap.log" 2>&1 || die "debootstrap failed; $folder/debootstrap.log says why"
    for deb in "$to"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --skip-old-files --keep-directory-symlink -C "$to"
    done
    # In a container debootstrap makes proc a link to /proc, and a mount would follow it.
    [ ! -L "$to/proc" ] || rm "$to/proc"
    mkdir -p "$to"/{proc,checkout,packages} "$cpu/cpu0/regs/identification"
    echo 0 | tee "$cpu"/{possible,present,online} > /dev/null
    echo 0x00000000414fd0c1 > "$cpu/cpu0/regs/identification/midr_el1"
    printf '%s\t: %s\n' processor 0 'CPU implementer' 0x41 'CPU architecture' 8 'CPU variant' 0x4 'CPU part' 0xd0c \
        'CPU revision' 1 Features 'fp asimd aes crc32 atomics fphp asimdhp asimdrdm lrcpc asimddp' > "$to/etc/cpuinfo"
    mv -T "$to" "$root"
}

# pip runs outside, because it is slow under qemu, and takes torch without its dependencies: often GBs of CUDA.
build_packages() {
    local to="$root/packages/$version.part" needs install=(python3 -m pip install --progress-bar off)
    install+=(--target "$to" --no-compile --only-binary=:all: --implementation cp --python-version 3.11)
    install+=(--platform={manylinux_2_28,manylinux_2_17,manylinux2014}_aarch64)
    needs="$(python3 -c 'import tomllib
print(*(n for n in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if n[:5] != "torch"))')"
    { "${install[@]}" --no-deps "torch==$version" &&
        "${install[@]}" $needs filelock fsspec networkx setuptools sympy typing-extensions; } \
        > "$folder/pip.log" 2>&1 || die "pip failed for torch $version; $folder/pip.log says why"
    stand_in_for_cuda "$to/torch"
    mv "$to" "$root/packages/$version"
}

# A torch for CUDA does not load without CUDA's libraries. One library stands in for all of them, and each of its
# functions returns 100, "no CUDA-capable device is detected": what CUDA's own would say here.
stand_in_for_cuda() {
    local files=("$1"/lib/*.so* "$1"/_C*.so) name names
    names="$(played /usr/bin/readelf -dW --dyn-syms "${files[@]#"$root"}" | awk -v to="$root/tmp/cuda" '
        $1 == "File:" { sub(".*/", "", $2); has[$2] }
        /NEEDED/ && match($0, /\[lib(cu|nccl|nv)[^]]*\]/) { needs[substr($0, RSTART + 1, RLENGTH - 2)] }
        NF > 7 && split($8, symbol, /@+/) && $7 != "UND" { has[symbol[1]] }
        NF > 7 && $5 $7 == "GLOBALUND" && $8 ~ /^_*(cu|nccl|nv)/ { calls[symbol[1]] = symbol[2] }
        END {
            for (name in calls) if (!(name in has)) {
                print ".globl " name "\n.type " name ", %function\n" name ":" > (to ".s")
                if (calls[name] != "") of[calls[name]] = of[calls[name]] name "; "
            }
            print "mov x0, #100\nret" > (to ".s")
            for (version in of) print version " { global: " of[version] "};" > (to ".map")
            for (name in needs) if (!(name in has)) print name
        }')"
    [ -n "$names" ] || return 0
    played /usr/bin/as -o /tmp/cuda.o /tmp/cuda.s
    played /usr/bin/ld -shared --version-script=/tmp/cuda.map -o "${1#"$root"}/lib/libcuda_absent.so" /tmp/cuda.o
    for name in $names; do ln -s libcuda_absent.so "$1/lib/$name"; done
}

if [ "${1:---}" = -- ]; then die "no FOLDER: played_aarch64.sh FOLDER [TORCH_VERSION] [-- PYTEST ARGUMENTS]"; fi
folder="$(realpath -m "$1")" version=2.13.0 && shift
if [ "${1:---}" != -- ]; then version="$1" && shift; fi
if [ "${1:---}" != -- ]; then die "'$1' is one argument too many: those of pytest come after --"; fi
[ "$EUID" = 0 ] || die "root is needed, for chroot and mounts"
PATH="$PATH:/usr/sbin:/sbin"
for tool in debootstrap qemu-aarch64-static; do command -v $tool > /dev/null || die "$tool is not installed"; done
python3 -c 'import pip, tomllib' 2> /dev/null || die "python3 is older than 3.11 or has no pip"
cd "$(dirname "$0")/../.."
[[ $folder/ != "$PWD"/* ]] || die "FOLDER lies in the checkout, which would be copied into itself"
mkdir -p "$folder" && exec 9> "$folder/lock" && root="$folder/debian"
flock --nonblock 9 || die "another run uses $folder"
rm -rf "$root.part" "$root"/packages/*.part # left by a build that was broken off
if [ ! -e "$root/etc/cpuinfo" ]; then build_debian; fi
install "$(command -v qemu-aarch64-static)" "$root/usr/bin/qemu-aarch64-static"
if [ ! -d "$root/packages/$version" ]; then build_packages; fi
rm -rf "$root/checkout" && mkdir "$root/checkout"
tar -c --exclude={.git,.venv,.nox,.hypothesis,'.*_cache',__pycache__,'*.egg-info'} . | tar -x -C "$root/checkout"
played /usr/bin/python3 -m pytest "${@:2}"
