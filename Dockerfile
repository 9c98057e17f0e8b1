# The service, its workers and the command line in one image: Node runs the TypeScript as it is, so nothing is built.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/bin/lean.js src/bin/
# The image brings Node; the package of the same name is for machines that do not.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && node src/bin/lean.js

# The agent for employees' machines, which the service serves.
FROM node:24-bookworm-slim AS agent
RUN apt-get update && apt-get install -y --no-install-recommends xz-utils && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src src
RUN node src/agent/package/build.ts

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ansible openssh-client postgresql-client iputils-ping \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=agent /app/dist/agent dist/agent
COPY package.json LICENSE* ./
COPY src src
COPY mcp mcp
COPY config config
COPY runbooks runbooks
# The root file system is read-only in production: what is written lies in these two volumes and in /tmp.
RUN mkdir data backups && chown node:node data backups
ENV NODE_ENV=production DATA_DIR=/app/data BACKUP_DIR=/app/backups HOME=/tmp ANSIBLE_HOME=/tmp/ansible
USER node
VOLUME ["/app/data", "/app/backups"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
