# Gatehouse in the place of AIStore AuthN's image: the same entry point, paths, port and user.
#
#   docker build -t gatehouse .
#   docker run --read-only -v gatehouse:/etc/ais/authn -p 52001:52001 gatehouse

# What runs, and only that. better-sqlite3 is the one package with an install script: it fetches a built binary or, where
# it can't, compiles one with the compiler and the Python of this image.
FROM node:22-bookworm AS packages
WORKDIR /opt/gatehouse
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm rebuild better-sqlite3

FROM node:22-bookworm AS build
WORKDIR /opt/gatehouse
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:22-bookworm-slim
ENV NODE_ENV=production
# The user of AIStore's image: files on a volume that AuthN wrote stay readable and writable.
RUN groupadd --gid 65532 nonroot \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nonroot \
    && install -d -o nonroot -g nonroot -m 0700 /etc/ais/authn \
    && echo '{}' > /etc/ais/authn/authn.json
WORKDIR /opt/gatehouse
COPY --from=packages /opt/gatehouse/node_modules ./node_modules
COPY --from=build /opt/gatehouse/dist ./dist
COPY package.json LICENSE CHANGELOG.md ./
COPY bin ./bin
COPY migrations ./migrations
RUN ln -s /opt/gatehouse/bin/gatehouse /opt/gatehouse/bin/authn /usr/local/bin/

USER 65532:65532
# Database, master key, signing key. A new named volume starts with the empty authn.json above (every setting has its
# default); a folder of the host, or a volume of Kubernetes, needs one: it may be mounted read-only.
VOLUME /etc/ais/authn
EXPOSE 52001
# Asks in HTTP, then in HTTPS; a port that is set in authn.json must be given as AIS_AUTHN_PORT too for this to find it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["node", "-e", "const ask=(kind,or)=>require(kind).get({host:'127.0.0.1',port:process.env.AIS_AUTHN_PORT||52001,path:'/healthz',rejectUnauthorized:false},(a)=>process.exit(a.statusCode===200?0:1)).on('error',or);ask('http',()=>ask('https',()=>process.exit(1)))"]
# As AIStore's image has it. Flags may follow; every other setting comes from authn.json and the environment.
ENTRYPOINT ["authn", "-config=/etc/ais/authn"]
