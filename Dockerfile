# Gatehouse in the place of AIStore AuthN's image: the same entry point, paths, port and user; no shell in it.
#
#   docker build -t gatehouse .
#   docker run --read-only -v gatehouse:/etc/ais/authn -p 52001:52001 gatehouse

FROM node:22-bookworm AS build
WORKDIR /opt/gatehouse
COPY package.json package-lock.json ./
# better-sqlite3 is the one package whose install script matters: it fetches a built binary or, where it can't, compiles
# one with the compiler and the Python of this image, for the Debian that the image below is made of.
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY . .
# A new named volume starts with an empty authn.json: every setting has its default.
RUN npm run build \
    && node scripts/image.mjs /image /nodejs/bin/node \
    && install -d -m 0700 /data/authn \
    && echo '{}' > /data/authn/authn.json

FROM gcr.io/distroless/nodejs22-debian12:nonroot
ENV NODE_ENV=production
COPY --from=build /image/ /
# The user of AuthN's image: files on a volume that AuthN wrote stay readable and writable.
COPY --from=build --chown=65532:65532 /data/ /etc/ais/

USER 65532:65532
WORKDIR /etc/ais/authn
# Database, master key, signing key. A folder of the host, or a volume of Kubernetes, needs an authn.json, if only `{}`; it
# may be mounted read-only.
VOLUME /etc/ais/authn
EXPOSE 52001
# Asks in HTTP, then in HTTPS; a port that is set in authn.json must be given as AIS_AUTHN_PORT too for this to find it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/nodejs/bin/node", "-e", "const ask=(kind,or)=>require(kind).get({host:'127.0.0.1',port:process.env.AIS_AUTHN_PORT||52001,path:'/healthz',rejectUnauthorized:false},(a)=>process.exit(a.statusCode===200?0:1)).on('error',or);ask('http',()=>ask('https',()=>process.exit(1)))"]
# As AuthN's image has it. Every other setting comes from authn.json and the environment.
ENTRYPOINT ["/usr/local/bin/authn", "-config=/etc/ais/authn"]
