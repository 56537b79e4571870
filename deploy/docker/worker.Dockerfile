# Worker and renderer. Build from the repository root:
#   docker build -f deploy/docker/worker.Dockerfile -t renderfarm-worker .                                   renders on the CPU
#   docker build -f deploy/docker/worker.Dockerfile --build-arg LIBTORCH=cuda -t renderfarm-worker:cuda .    renders on NVIDIA cards
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG LIBTORCH=cpu
# The version to report; git is not here to tell it: --build-arg VERSION=1.2.3
ARG VERSION=
WORKDIR /source
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props .editorconfig ./
COPY deploy/build deploy/build
COPY contracts contracts
COPY workers workers
RUN dotnet publish workers/RenderFarm.Worker -c Release -o /app/worker --nologo -p:MinVerVersionOverride=$VERSION \
    && dotnet publish workers/RenderFarm.Renderer -c Release -o /app/renderer --nologo -p:LibTorch=$LIBTORCH -p:MinVerVersionOverride=$VERSION

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
# Into the farm by RENDERFARM_JOIN, Keys__InvitationFile or Worker__ApiKey; what the worker keeps is in /spool.
RUN mkdir /join /models /spool && chown app:app /join /models /spool
USER app
WORKDIR /app/worker
ENV Worker__RendererPath=/app/renderer/RenderFarm.Renderer \
    Worker__DataDirectory=/spool \
    Models__Directory=/models \
    Metrics__Url=http://*:9465 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
EXPOSE 9465
# SIGTERM drains: the job in hand is finished or handed back.
ENTRYPOINT ["./RenderFarm.Worker"]
