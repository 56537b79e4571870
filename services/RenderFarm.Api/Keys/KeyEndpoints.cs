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
    private const long LongestOverlap = 30 * 24 * 3600;

    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Keys").RequireScope(Scopes.Admin);
        keys.MapGet("/", ListAsync).WithSummary("Keys that work, with what they use of their quotas; never their secrets");
        keys.MapGet("/{id}", ShowAsync).WithSummary("One key");
        keys.MapPost("/", CreateAsync)
            .WithSummary("A new key; its secret is shown this once")
            .Accepts<KeyFields>("application/json")
            .Produces<KeyView>();
        keys.MapPatch("/{id}", EditAsync)
            .WithSummary("Change a key's name, class, quotas, rate, ceiling or end; what is not named stays, and null is none")
            .Accepts<KeyChanges>("application/json")
            .Produces<KeyView>();
        keys.MapPost("/{id}/rotate", RotateAsync)
            .WithSummary("A new secret, shown this once; the old one goes on for `overlap_seconds`")
            .Accepts<RotateFields>(isOptional: true, "application/json")
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
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var body = await BodyReader.ReadAsync(context.Request, cancellationToken);
        var fields = new FieldReader(body.Fields);
        var name = fields.Text("name", 100, mayBeEmpty: false) ?? throw fields.Invalid("name", "is required");
        var scopes = ScopesOf(fields, body.Fields["scopes"]);
        var ceiling = (int)(fields.Whole("priority_ceiling", 0, 100) ?? 100);
        var terms = new KeyTerms
        {
            Limits = LimitsOf(fields),
            Class = KeyClass.Read(fields),
            ExpiresAt = EndOf(fields, time.GetUtcNow()),
        };
        fields.RefuseRest();
        if (await store.ClassesIfFullAsync(terms.Class, cancellationToken) is { } full)
        {
            throw KeyClass.TooMany(full).AsException();
        }

        var made = await store.CreateAsync(name, scopes, ceiling, terms, cancellationToken);
        return KeyView.Of(made.Key, null) with
        {
            Key = made.Secret,
            WebhookSecret = made.Key.Allows(KeyScopes.Submit) ? await secrets.OfAsync(made.Key.Id, cancellationToken) : null,
        };
    }

    private static async Task<KeyView> EditAsync(
        string id,
        HttpContext context,
        ApiKeys store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var body = (await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields;
        var fields = new FieldReader(body);
        var edit = new KeyEdit
        {
            Name = fields.Text("name", 100, mayBeEmpty: false),
            PriorityCeiling = (int?)fields.Whole("priority_ceiling", 0, 100),
            RequestsPerMinute = ChangeOf(body, "requests_per_minute", (int?)fields.Whole("requests_per_minute", 1, LargestLimit)),
            Class = ChangeOf(body, "class", KeyClass.Read(fields)),
            ExpiresAt = ChangeOf(body, "expires_at", EndOf(fields, time.GetUtcNow())),
        };
        if (fields.Object("quotas") is { } quotas && body["quotas"] is JsonObject named)
        {
            edit = edit with
            {
                Queued = ChangeOf(named, "queued", (int?)quotas.Whole("queued", 0, LargestLimit)),
                Running = ChangeOf(named, "running", (int?)quotas.Whole("running", 0, LargestLimit)),
                PerDay = ChangeOf(named, "per_day", (int?)quotas.Whole("per_day", 0, LargestLimit)),
            };
            quotas.RefuseRest();
        }

        fields.RefuseRest();
        return await store.EditAsync(id, edit, cancellationToken) switch
        {
            KeyEditResult.Edited => await ShowAsync(id, store, cancellationToken),
            KeyEditResult.TooManyClasses { Classes: var classes } => throw KeyClass.TooMany(classes).AsException(),
            _ => throw ApiError.NotFound("key", id).AsException(),
        };
    }

    private static async Task<KeyView> RotateAsync(
        string id,
        HttpContext context,
        ApiKeys store,
        CancellationToken cancellationToken
    )
    {
        long overlap = 0;
        if (context.Request.ContentType is not null || context.Request.ContentLength > 0)
        {
            var fields = new FieldReader((await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields);
            overlap = fields.Whole("overlap_seconds", 0, LongestOverlap) ?? 0;
            fields.RefuseRest();
        }

        var shown = await ShowAsync(id, store, cancellationToken);
        if (shown.Worker is { } worker)
        {
            throw ApiError
                .WrongState(
                    $"Key '{id}' was made by worker '{worker}' when it joined, and only that worker knows its secret. Revoke the worker, "
                        + "and invite it again."
                )
                .AsException();
        }

        var made =
            await store.RotateAsync(id, TimeSpan.FromSeconds(overlap), cancellationToken)
            ?? throw ApiError.NotFound("key", id).AsException();
        return await ShowAsync(id, store, cancellationToken) with { Key = made.Secret };
    }

    /// <summary>What the body names is changed, to nothing where it says null.</summary>
    private static Change<T>? ChangeOf<T>(JsonObject body, string name, T value) => body.ContainsKey(name) ? new Change<T>(value) : null;

    private static DateTimeOffset? EndOf(FieldReader fields, DateTimeOffset now) =>
        fields.Whole("expires_at", 0, 253_402_300_799) is not { } seconds ? null
        : DateTimeOffset.FromUnixTimeSeconds(seconds) is var end && end > now ? end
        : throw fields.Invalid("expires_at", "is over already; to end a key now, delete it");

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

internal sealed record KeyFields
{
    public required string Name { get; init; }
    public IReadOnlyList<string>? Scopes { get; init; }
    public int? PriorityCeiling { get; init; }
    public QuotaFields? Quotas { get; init; }
    public int? RequestsPerMinute { get; init; }

    /// <summary>What figures are told apart by; null is the default one.</summary>
    public string? Class { get; init; }

    /// <summary>Unix seconds; null is never.</summary>
    public long? ExpiresAt { get; init; }
}

/// <summary>What is not named stays; null takes a limit, a class or an end away.</summary>
internal sealed record KeyChanges
{
    public string? Name { get; init; }
    public int? PriorityCeiling { get; init; }
    public QuotaFields? Quotas { get; init; }
    public int? RequestsPerMinute { get; init; }
    public string? Class { get; init; }
    public long? ExpiresAt { get; init; }
}

/// <summary>Videos that may wait, that may run, and that may be submitted a day (UTC); null is no limit.</summary>
internal sealed record QuotaFields
{
    public int? Queued { get; init; }
    public int? Running { get; init; }
    public int? PerDay { get; init; }
}

internal sealed record RotateFields
{
    /// <summary>How long the old secret goes on; 0 (the default) ends it at once, elsewhere within 15 s.</summary>
    public long? OverlapSeconds { get; init; }
}

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

    /// <summary>What figures are told apart by.</summary>
    public required string Class { get; init; }
    public required long CreatedAt { get; init; }

    /// <summary>From then on it does not work; null is never.</summary>
    public required long? ExpiresAt { get; init; }

    /// <summary>Until when the secret before this one works too, or did; null where there was none.</summary>
    public required long? FormerUntil { get; init; }

    /// <summary>The one worker that it speaks for; null for a key that no worker made when it joined.</summary>
    public required string? Worker { get; init; }

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
            Class = key.Class ?? ApiKeys.DefaultClass,
            CreatedAt = key.CreatedAt.ToUnixTimeSeconds(),
            ExpiresAt = key.ExpiresAt?.ToUnixTimeSeconds(),
            FormerUntil = key.FormerUntil?.ToUnixTimeSeconds(),
            Worker = key.WorkerId,
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
