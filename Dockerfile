# One ZiStore node: docker build -t zistore . && docker run zistore node --zookeeper HOSTS --cluster NAME --listen HOST:PORT
# For the classic builder as well as for BuildKit.
#
# Where npm needs more than its defaults (a registry or a certificate authority of one's own), name a NODE_IMAGE in which
# npm is set up so: build arguments and copied files would stay behind in the image's history.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY scripts/health.mjs ./scripts/
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/zistore
# A number, so that an orchestrator can see that it is not root; images of Node call it "node".
USER 1000
EXPOSE 7400
# Says that the process answers, not that it has a live session: see scripts/health.mjs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["node", "scripts/health.mjs"]
ENTRYPOINT ["zistore"]
CMD ["node"]
