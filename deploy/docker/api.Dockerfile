# The API. Build from the repository root:  docker build -f deploy/docker/api.Dockerfile -t renderfarm-api .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
# The version to report; git is not here to tell it: --build-arg VERSION=1.2.3
ARG VERSION=
WORKDIR /source
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props .editorconfig ./
COPY deploy/build deploy/build
COPY contracts contracts
COPY services services
RUN dotnet publish services/RenderFarm.Api -c Release -o /app --nologo -p:MinVerVersionOverride=$VERSION

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
# Keys of a fresh farm are written to /data, invitations for workers beside it to /join (Keys__InvitationFile); mount them.
RUN mkdir /data /join && chown app:app /data /join
USER app
WORKDIR /app
ENV Api__Url=http://*:8080 Metrics__Url=http://*:9464 Keys__BootstrapFile=/data/keys.json RENDERFARM_HOME=/data
EXPOSE 8080 9464
ENTRYPOINT ["./RenderFarm.Api"]
