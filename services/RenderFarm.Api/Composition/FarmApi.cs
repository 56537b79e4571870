using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using RenderFarm.Api.Audit;
using RenderFarm.Api.Batches;
using RenderFarm.Api.Description;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Events;
using RenderFarm.Api.Health;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Inputs;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Messaging;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Models;
using RenderFarm.Api.Outbound;
using RenderFarm.Api.Pages;
using RenderFarm.Api.Plans;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Tracing;
using RenderFarm.Api.Sessions;
using RenderFarm.Api.Settings;
using RenderFarm.Api.Videos;
using RenderFarm.Api.Waiting;
using RenderFarm.Api.Webhooks;
using RenderFarm.Api.Workers;
using RenderFarm.Artifacts;
using RenderFarm.Broker;
using RenderFarm.Dashboard.Composition;
using RenderFarm.Hosting.Logs;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Composition;
using RenderFarm.Jobs.Persistence;
using Scalar.AspNetCore;

namespace RenderFarm.Api.Composition;

/// <summary>The API as a list: what is in it, and in which order a request passes it.</summary>
internal static class FarmApi
{
    /// <param name="adjust">For tests: a last word on what is registered.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddEmbeddedDefaults();
        SectionNames.RefuseMisspelt(builder.Configuration);
        builder.Configuration.AddFarmLogs();
        var api = builder.Services.AddSettings<ApiOptions, ApiOptionsValidator>(builder.Configuration);
        builder.AddTls(api.Tls);
        var metrics = builder.AddMetrics();
        builder.AddTracing();
        string[] urls = [.. new[] { api.Url, metrics.Url }.Where(url => url.Length > 0)];
        builder.WebHost.UseUrls(urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(listen =>
            {
                listen.UseTlsOf(urls);
                ServerRefusals.Attach(listen);
            });
            kestrel.Limits.MaxRequestBodySize = BodyLimits.Default;
        });
        // A start that fails is told in one line by whoever started it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = TimeSpan.FromSeconds(5);
            // Of any service, ours or a library's: requests are answered all the same.
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            Wire.Configure(json.SerializerOptions);
            // A worker's null where something must be is a refusal that names the member, not a fault of ours.
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.TypeInfoResolver = (
                json.SerializerOptions.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver()
            ).WithAddedModifier(WholeValues.Require);
        });

        // Who is asking
        var keys = builder.Services.AddSettings<KeysOptions, KeysOptionsValidator>(builder.Configuration);
        builder
            .Services.AddAuthentication(ApiKeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        builder.Services.AddAuthorizationBuilder().AddScopePolicies();
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, ScopeRefusals>();
        builder.Services.AddSingleton<RateLimits>();
        builder.Services.AddSingleton<WrongKeys>();
        builder.Services.AddSingleton<StreamPlaces>();
        builder.Services.AddTrustedProxies(api);
        // Said by WrongKeys, once a minute and not for each request.
        builder.Logging.AddFilter(typeof(ApiKeyAuthentication).FullName, LogLevel.Warning);

        // What the farm keeps, and how it tells
        builder.AddMessaging();
        builder.Services.AddJobs(builder.Services.AddSettings<StoreOptions, StoreOptionsValidator>(builder.Configuration));
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddLoopSupervisor(ApiInstruments.Meter, ApiInstruments.LoopDegraded);
        builder.Services.AddHostedService<LoopHost>();
        builder.Services.AddArtifacts(builder.Configuration);

        // What a request goes through
        builder.Services.AddSettings<OutboundOptions, OutboundOptionsValidator>(builder.Configuration);
        builder.Services.AddSingleton<OutboundGuard>();
        builder.Services.AddSettings<VideosOptions, VideosOptionsValidator>(builder.Configuration);
        builder.Services.AddSingleton<PictureFetcher>();
        builder.Services.AddSingleton<PictureIntake>();
        builder.Services.AddSingleton<ModelDirectory>();
        builder.Services.AddSingleton<VideoSubmission>();
        builder.Services.AddSingleton<BatchReader>();
        builder.Services.AddSingleton<VideoPage>();
        builder.Services.AddSingleton<VideoFilterReader>();
        builder.Services.AddSingleton<EventHub>();
        builder.Services.AddSingleton<VideoStream>();
        builder.Services.AddSingleton<FarmStream>();
        builder.Services.AddSingleton<WebhookSender>().AddLoop<WebhookPump>();
        builder.Services.AddSingleton<LeaseInputs>();
        builder.Services.AddSingleton<LeaseUploads>();
        builder.Services.AddSingleton<LeaseJournal>();
        builder.Services.AddEnrolment(api, keys);

        // What people look at
        builder.Services.AddPages();

        // What can be seen from outside
        builder.Services.AddFarmHealth();
        builder.Services.AddOpenApi(document =>
        {
            document.AddSchemaTransformer<WordSchema>();
            document.AddOperationTransformer<FarmOperation>();
            document.AddDocumentTransformer<FarmDocument>();
        });

        adjust?.Invoke(builder);
        var app = builder.Build();
        app.GiveBusItsLog();
        ServerRefusals.Listen(app.Services);
        app.UseForwardedHeaders();
        app.UseAnswerHeaders();
        app.UsePageCalls();
        app.UseMiddleware<VideoScope>();
        app.UseMiddleware<ErrorMiddleware>();
        app.UseRouting();
        app.UseMetrics(metrics);
        app.UseMiddleware<ReadinessMiddleware>();
        app.UseAuthentication();
        app.UseMiddleware<RateLimitMiddleware>();
        app.UseAuthorization();

        app.MapDashboard();
        app.MapSignIn();
        app.MapSession();
        app.MapVideos();
        app.MapBatches();
        app.MapQueue();
        app.MapEvents();
        app.MapWebhooks();
        app.MapPlans();
        app.MapModels();
        app.MapWorkers();
        app.MapInvitations();
        app.MapKeys();
        app.MapEnrolment();
        app.MapLeases();
        app.MapAudit();
        app.MapSettings();
        app.MapHealth();
        app.MapOpenApi();
        app.MapScalarApiReference(page =>
            page.WithTitle("RenderFarm")
                .AddPreferredSecuritySchemes(FarmDocument.SecurityScheme)
                .WithNonce()
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
        );
        return app;
    }
}
