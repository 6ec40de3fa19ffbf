#!/usr/bin/env bash
# Builds every image without an image registry: the base with debootstrap and `docker import`, the rest on top of it.
#
#   docker/airgap.sh && docker compose -f docker-compose.yml -f docker-compose.airgap.yml up
#
# It needs Docker's engine, debootstrap, root, and package registries (Debian, PyPI, Maven Central). What it reads:
#   CA_BUNDLE_FILE  certificates that the registries' connections chain to (default: this machine's)
#   DEBIAN_MIRROR   default http://deb.debian.org/debian
#   MAVEN_URL       default Maven Central
#   BASE_IMAGE      default fraudstream/debian:bookworm; made only where it is missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BASE_IMAGE=${BASE_IMAGE:-fraudstream/debian:bookworm}
DEBIAN_MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
CA_BUNDLE_FILE=${CA_BUNDLE_FILE:-/etc/ssl/certs/ca-certificates.crt}
TAG=${FRAUDSTREAM_TAG:-0.1.0}
TARGETS=(generator dashboards ingest devices scoring mlflow stream store bootstrap standin-kafka standin-mongo)

fail() {
    printf 'docker/airgap.sh: %s\n' "$1" >&2
    exit 1
}

docker info >/dev/null 2>&1 || fail "Docker's engine does not answer ($(docker info 2>&1 | tail -1))"

if ! docker image inspect "$BASE_IMAGE" >/dev/null 2>&1; then
    command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
    [ "$(id -u)" = 0 ] || fail "debootstrap needs root"
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    log=$(mktemp)
    debootstrap --variant=minbase bookworm "$root" "$DEBIAN_MIRROR" >"$log" 2>&1 || fail "debootstrap failed: $(tail -3 "$log")"
    # The security fixes come from their own archive, as in Debian's image; what is only read by people stays out.
    printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s-security bookworm-security main\n' \
        "$DEBIAN_MIRROR" "$DEBIAN_MIRROR" "$DEBIAN_MIRROR" >"$root/etc/apt/sources.list"
    printf 'path-exclude %s\n' '/usr/share/doc/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/man/*' \
        >"$root/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,info,locale,man}/*
    tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "$BASE_IMAGE" >/dev/null
    printf 'made %s\n' "$BASE_IMAGE"
fi

# Written only when it differs: the builder's cache goes by the file's content and its time.
cmp -s "$CA_BUNDLE_FILE" docker/ca-bundle.pem || cp "$CA_BUNDLE_FILE" docker/ca-bundle.pem

for target in "${TARGETS[@]}"; do
    began=$SECONDS
    log=$(mktemp)
    docker build --target "$target" --tag "fraudstream/$target:$TAG" \
        --build-arg BASE_IMAGE="$BASE_IMAGE" --build-arg CA_BUNDLE=docker/ca-bundle.pem \
        --build-arg MAVEN_URL="${MAVEN_URL:-https://repo1.maven.org/maven2}" . >"$log" 2>&1 ||
        { tail -40 "$log" >&2; fail "the image $target could not be built"; }
    size=$(docker image inspect --format '{{.Size}}' "fraudstream/$target:$TAG")
    printf 'built fraudstream/%s:%s  %4d MB  %3d s\n' "$target" "$TAG" $((size / 1000000)) $((SECONDS - began))
done
