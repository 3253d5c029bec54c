#!/usr/bin/env bash
# Makes a release: one version for the package, the chart and the image, a tag, and an image that is known by its digest. docs/release.md explains it.
#
#   release/release.sh prepare 0.2.0      # writes the version everywhere, and the heading in CHANGELOG.md; commit what it changed
#   release/release.sh publish ghcr.example.com/mesh/meshops   # checks, builds, pushes, tags, prints the digest; with COSIGN=1 signs it
#
# `publish` needs docker (buildx), and helm for the chart; COSIGN=1 needs cosign. DRY_RUN=1 says what it would run and runs nothing that leaves a trace.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "release: $*" >&2; exit 1; }
run() { if [ "${DRY_RUN:-}" = 1 ]; then echo "+ $*"; else "$@"; fi; }
version() { node -p "require('./package.json').version"; }

prepare() {
  local next=${1:-}
  [[ $next =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "write the new version as 1.2.3, not \"$next\"."
  local now; now=$(version)
  [ "$next" != "$now" ] || fail "$next is the version already."
  grep -q '^## Unreleased$' CHANGELOG.md || fail "CHANGELOG.md has no heading \"## Unreleased\"."
  sed -n '/^## Unreleased$/,/^## [0-9]/p' CHANGELOG.md | grep -q '^- ' || fail "nothing stands under \"## Unreleased\" in CHANGELOG.md."
  sed -i "0,/\"version\": \"$now\"/s//\"version\": \"$next\"/" package.json
  # The lock names the version of the package twice, at its beginning.
  sed -i "1,/\"packages\"/s/\"version\": \"$now\"/\"version\": \"$next\"/; /\"packages\": {/,/\"license\"/s/\"version\": \"$now\"/\"version\": \"$next\"/" package-lock.json
  sed -i "s/^version: .*/version: $next/; s/^appVersion: .*/appVersion: $next/" charts/meshops/Chart.yaml
  sed -i "s|image: meshops:.*|image: meshops:$next|" docker-compose.yml manifests/base/bot.yaml manifests/base/worker.yaml
  sed -i "s/^## Unreleased$/## Unreleased\n\n## $next, $(date -u +%F)/" CHANGELOG.md
  echo "Now $next. Read the changes (git diff), run npm test, commit, then: release/release.sh publish <repository>"
}

# The digest that a name has in its registry now.
digest_of() { docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}'; }

publish() {
  local repository=${1:-} v tag base pinned digest
  [ -n "$repository" ] || fail "name the repository of the image, such as registry.example.com/mesh/meshops."
  v=$(version); tag=v$v
  [ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed."
  grep -q "^## $v, " CHANGELOG.md || fail "CHANGELOG.md has no heading for $v: run prepare first."
  grep -q "^version: $v$" charts/meshops/Chart.yaml || fail "the chart is not $v: run prepare first."
  ! git rev-parse -q --verify "refs/tags/$tag" >/dev/null || fail "the tag $tag exists already."
  base=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
  if [ "${DRY_RUN:-}" = 1 ]; then pinned=$base@sha256:…; else pinned=$base@$(digest_of "$base"); fi
  run docker buildx build --platform linux/amd64,linux/arm64 --build-arg "NODE_IMAGE=$pinned" --build-arg "VERSION=$v" \
    --sbom=true --provenance=mode=max --tag "$repository:$v" --push .
  if [ "${DRY_RUN:-}" = 1 ]; then digest=sha256:…; else digest=$(digest_of "$repository:$v"); fi
  # By digest: a tag can be moved, what was signed cannot.
  if [ "${COSIGN:-}" = 1 ]; then run cosign sign --yes "$repository@$digest"; fi
  run helm package charts/meshops --destination release/out
  run git tag --annotate "$tag" --message "meshops $v ($repository@$digest, on $pinned)"
  echo "meshops $v"
  echo "  image  $repository@$digest"
  echo "  base   $pinned"
  echo "  chart  release/out/meshops-$v.tgz   (values: image.repository=$repository, image.digest=$digest)"
  echo "Push the tag: git push origin $tag"
}

case "${1:-}" in
  prepare) prepare "${2:-}" ;;
  publish) publish "${2:-}" ;;
  *) sed -n '2,8p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
