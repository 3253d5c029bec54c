# The production image: the bot and the worker. Node runs the TypeScript as it is; nothing is built.
FROM node:24-slim AS packages
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

FROM node:24-slim
ENV NODE_ENV=production HOME=/tmp
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
USER 10001:10001
EXPOSE 8080 9464
# A small young generation (MB): its collection holds up the fuses for milliseconds, not for tens of them.
ENTRYPOINT ["node", "--max-semi-space-size=8", "src/main.ts"]
CMD ["run", "--config", "/etc/meshops/config/meshops.yaml"]
