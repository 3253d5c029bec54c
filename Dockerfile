# The production image: the bot and the worker. Node runs the TypeScript as it is; nothing is built.
# A release pins the base by its digest (docs/release.md).
ARG NODE_IMAGE=node:24-slim
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The packages `node*` bring Node 24 to machines without it; the image has it.
# Not `npm ci`: the lock leaves out packages of other platforms, which it refuses.
RUN npm install --no-save --omit=dev --ignore-scripts && rm -rf node_modules/node node_modules/node-linux-* node_modules/.bin/node
# Temporal's native library comes for every platform; only this one's is kept (the others are most of the image).
RUN set -eu; \
    case "$(uname -m)" in x86_64) keep=x86_64-unknown-linux-gnu ;; aarch64) keep=aarch64-unknown-linux-gnu ;; *) echo "no image for $(uname -m)" >&2; exit 1 ;; esac; \
    cd node_modules/@temporalio/core-bridge/releases; \
    test -d "$keep"; \
    find . -mindepth 1 -maxdepth 1 ! -name "$keep" -exec rm -r {} +
# Types and source maps are for those who write code: 96 MB.
RUN find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete
# What is left is what package.json names from here on, and what the list of software (CycloneDX) is made from.
RUN npm pkg delete scripts devDependencies optionalDependencies dependencies.node \
    && rm package-lock.json && npm sbom --sbom-format cyclonedx > sbom.json

FROM ${NODE_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title=meshops \
      org.opencontainers.image.description="Changes a Cilium service mesh from Slack, in stages, with approval and automatic rollback" \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=${VERSION}
ENV NODE_ENV=production HOME=/tmp
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=packages /app/package.json /app/sbom.json ./
COPY LICENSE ./
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
USER 10001:10001
EXPOSE 8080 9464
# A small young generation (MB): its collection holds up the fuses for milliseconds, not for tens of them.
ENTRYPOINT ["node", "--max-semi-space-size=8", "src/main.ts"]
CMD ["run", "--config", "/etc/meshops/config/meshops.yaml"]
