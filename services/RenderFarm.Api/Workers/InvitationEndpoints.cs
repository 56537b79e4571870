using System.Text.Json.Serialization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Hosting;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Enrolment;

namespace RenderFarm.Api.Workers;

/// <summary><c>/v1/workers/invitations</c>, for administrators: how a host comes to be a worker.</summary>
internal static class InvitationEndpoints
{
    private const long ShortestSeconds = 60;
    private const long LongestSeconds = 7 * 24 * 3600;
    private const long DefaultSeconds = 3600;
    private const long MostUses = 100;

    /// <summary>Which one to withdraw; without it, all.</summary>
    private const string OneParameter = "id";

    public static void MapInvitations(this IEndpointRouteBuilder routes)
    {
        var invitations = routes.MapGroup("/v1/workers/invitations").WithTags("Workers").RequireScope(Scopes.Admin);
        invitations
            .MapPost("/", CreateAsync)
            .WithSummary("What a host needs to become a worker; `join` is shown this once")
            .Accepts<InvitationFields>("application/json")
            .Produces<InvitationView>();
        invitations.MapGet("/", ListAsync).WithSummary("Invitations that are good now; never their tokens");
        invitations.MapDelete("/", WithdrawAsync).WithSummary("Nobody comes by them any more; who has come stays");
    }

    private static async Task<InvitationView> CreateAsync(
        HttpContext context,
        Invitations invitations,
        FarmAddress address,
        CancellationToken cancellationToken
    )
    {
        var fields = new FieldReader((await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields);
        var lasts = TimeSpan.FromSeconds(fields.Whole("expires_in", ShortestSeconds, LongestSeconds) ?? DefaultSeconds);
        var uses = (int)(fields.Whole("uses", 1, MostUses) ?? 1);
        var name = WorkerLabel.Read(fields, "name");
        fields.RefuseRest();
        if (name is not null && uses > 1)
        {
            throw ApiError.InvalidValue("name", "'name' is one worker's: leave it out where 'uses' is more than 1.").AsException();
        }

        var made = await invitations.CreateAsync(name, lasts, uses, cancellationToken);
        return InvitationView.Of(made.Invitation) with { Join = address.JoinBy(made.Token, context.Request) };
    }

    private static async Task<InvitationList> ListAsync(Invitations invitations, CancellationToken cancellationToken) =>
        new([.. (await invitations.ListAsync(cancellationToken)).Select(InvitationView.Of)]);

    private static async Task<DeletedInvitations> WithdrawAsync(
        HttpContext context,
        Invitations invitations,
        CancellationToken cancellationToken
    )
    {
        if (context.Request.Query.Keys.FirstOrDefault(key => key != OneParameter) is { } stray)
        {
            throw ApiError.UnknownParameter(stray, OneParameter).AsException();
        }

        // An empty id is a caller's slip, and not a wish to withdraw them all
        var id = context.Request.Query.TryGetValue(OneParameter, out var named) ? named.ToString() : null;
        if (id is "")
        {
            throw ApiError
                .InvalidValue(OneParameter, $"'{OneParameter}' is empty: name one, or leave it out to withdraw all.")
                .AsException();
        }

        var withdrawn = await invitations.WithdrawAsync(id, cancellationToken);
        return id is null || withdrawn.Count > 0
            ? new DeletedInvitations(withdrawn)
            : throw ApiError.NotFound("invitation", id).AsException();
    }
}

internal sealed record InvitationFields(int? ExpiresIn, int? Uses, string? Name);

internal sealed record InvitationView
{
    public required string Id { get; init; }
    public string Object { get; } = "worker.invitation";

    /// <summary>What the worker will be called; null leaves it to the worker.</summary>
    public required string? Name { get; init; }
    public required long ExpiresAt { get; init; }
    public required int UsesLeft { get; init; }

    /// <summary>For <c>./farm worker --join</c>; only in the answer to its making.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Join { get; init; }

    public static InvitationView Of(Invitation invitation) =>
        new()
        {
            Id = invitation.Id,
            Name = invitation.Name,
            ExpiresAt = invitation.ExpiresAt.ToUnixTimeSeconds(),
            UsesLeft = invitation.UsesLeft,
        };
}

internal sealed record InvitationList(IReadOnlyList<InvitationView> Data)
{
    public string Object { get; } = "list";
}

/// <param name="Deleted">Their ids.</param>
internal sealed record DeletedInvitations(IReadOnlyList<string> Deleted)
{
    public string Object { get; } = "worker.invitations.deleted";
}
