using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Keys;

/// <summary><c>/v1/keys</c>, for administrators.</summary>
internal static class KeyEndpoints
{
    private const int LargestLimit = 1_000_000_000;

    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Keys").RequireScope(Scopes.Admin);
        keys.MapGet("/", ListAsync).WithSummary("Keys that work, with what they use of their quotas; never their secrets");
        keys.MapGet("/{id}", ShowAsync).WithSummary("One key");
        keys.MapPost("/", CreateAsync)
            .WithSummary("A new key; its secret is shown this once")
            .Accepts<KeyFields>("application/json")
            .Produces<KeyView>();
        keys.MapDelete(
                "/{id}",
                async (string id, ApiKeys store, CancellationToken cancellationToken) =>
                    await store.RevokeAsync(id, cancellationToken) ? new DeletedKey(id) : throw ApiError.NotFound("key", id).AsException()
            )
            .WithSummary("The key stops working; its videos stay");
    }

    private static async Task<KeyList> ListAsync(ApiKeys store, CancellationToken cancellationToken)
    {
        var used = await store.UsageAsync(cancellationToken);
        return new KeyList([.. (await store.ListAsync(cancellationToken)).Select(key => KeyView.Of(key, used.GetValueOrDefault(key.Id)))]);
    }

    private static async Task<KeyView> ShowAsync(string id, ApiKeys store, CancellationToken cancellationToken) =>
        (await ListAsync(store, cancellationToken)).Data.FirstOrDefault(key => key.Id == id)
        ?? throw ApiError.NotFound("key", id).AsException();

    private static async Task<KeyView> CreateAsync(
        HttpContext context,
        ApiKeys store,
        WebhookSecrets secrets,
        CancellationToken cancellationToken
    )
    {
        var body = await BodyReader.ReadAsync(context.Request, cancellationToken);
        var fields = new FieldReader(body.Fields);
        var name = fields.Text("name", 100, mayBeEmpty: false) ?? throw fields.Invalid("name", "is required");
        var scopes = ScopesOf(fields, body.Fields["scopes"]);
        var ceiling = (int)(fields.Whole("priority_ceiling", 0, 100) ?? 100);
        var limits = LimitsOf(fields);
        fields.RefuseRest();
        var made = await store.CreateAsync(name, scopes, ceiling, limits, cancellationToken);
        return KeyView.Of(made.Key, null) with
        {
            Key = made.Secret,
            WebhookSecret = made.Key.Allows(KeyScopes.Submit) ? await secrets.OfAsync(made.Key.Id, cancellationToken) : null,
        };
    }

    private static KeyScopes ScopesOf(FieldReader fields, JsonNode? node)
    {
        if (!fields.Has("scopes"))
        {
            return KeyScopes.Submit | KeyScopes.Read;
        }

        var words = (node as JsonArray)?.Select(item => item?.ToString() ?? "").ToList() ?? [];
        return words.Count > 0 && words.All(Scopes.All.Contains)
            ? Scopes.Parse(words)
            : throw fields.Invalid("scopes", $"must be a list of {string.Join(", ", Scopes.All)}");
    }

    private static KeyLimits LimitsOf(FieldReader fields)
    {
        var quotas = fields.Object("quotas");
        var limits = new KeyLimits
        {
            Queued = (int?)quotas?.Whole("queued", 0, LargestLimit),
            Running = (int?)quotas?.Whole("running", 0, LargestLimit),
            PerDay = (int?)quotas?.Whole("per_day", 0, LargestLimit),
            RequestsPerMinute = (int?)fields.Whole("requests_per_minute", 1, LargestLimit),
        };
        quotas?.RefuseRest();
        return limits;
    }
}

internal sealed record KeyFields(
    string Name,
    IReadOnlyList<string>? Scopes,
    int? PriorityCeiling,
    KeyQuotas? Quotas,
    int? RequestsPerMinute
);

/// <summary>Videos that may wait, that may run, and that may be submitted a day (UTC); null is no limit.</summary>
internal sealed record KeyQuotas(int? Queued, int? Running, int? PerDay);

internal sealed record KeyView
{
    public required string Id { get; init; }
    public string Object { get; } = "api_key";
    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }
    public required int PriorityCeiling { get; init; }
    public required KeyQuotas Quotas { get; init; }

    /// <summary>The key's own limit; null leaves it to the farm's setting.</summary>
    public required int? RequestsPerMinute { get; init; }
    public required KeyUsageView Usage { get; init; }
    public required long CreatedAt { get; init; }

    /// <summary>The secret; only in the answer to its making.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    /// <summary>What this key's webhooks are signed with; only in the answer to its making.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WebhookSecret { get; init; }

    public static KeyView Of(ApiKey key, KeyUsage? usage) =>
        new()
        {
            Id = key.Id,
            Name = key.Name,
            Scopes = Api.Keys.Scopes.Words(key.Scopes),
            PriorityCeiling = key.PriorityCeiling,
            Quotas = new KeyQuotas(key.Limits.Queued, key.Limits.Running, key.Limits.PerDay),
            RequestsPerMinute = key.Limits.RequestsPerMinute,
            Usage = new KeyUsageView(usage?.Queued ?? 0, usage?.Running ?? 0, usage?.Today ?? 0),
            CreatedAt = key.CreatedAt.ToUnixTimeSeconds(),
        };
}

/// <summary>What counts against the quotas now.</summary>
internal sealed record KeyUsageView(int Queued, int Running, int Today);

internal sealed record KeyList(IReadOnlyList<KeyView> Data)
{
    public string Object { get; } = "list";
}

internal sealed record DeletedKey(string Id)
{
    public string Object { get; } = "api_key.deleted";
    public bool Deleted { get; } = true;
}
