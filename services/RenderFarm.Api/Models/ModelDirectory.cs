using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Models;

/// <summary>
/// The models that the farm knows, looked up anew every few seconds instead of by every request. A model that was not
/// there a moment ago is always looked for.
/// </summary>
internal sealed class ModelDirectory(WorkerRegistry workers, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);
    private volatile Known _known = new(new Dictionary<string, KnownModel>(), null);

    /// <summary>Null for a model that no worker ever registered.</summary>
    public async Task<KnownModel?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var now = _known;
        if (now.At is not { } at || time.GetElapsedTime(at) > Fresh || !now.Models.ContainsKey(id))
        {
            now = _known = await LookAsync(now, cancellationToken);
        }

        return now.Models.GetValueOrDefault(id);
    }

    /// <exception cref="ApiErrorException">400 <c>unknown_model</c>, naming those there are.</exception>
    public async Task<ModelRegistration> RegistrationAsync(string id, CancellationToken cancellationToken) =>
        (await FindAsync(id, cancellationToken))?.Registration
        ?? throw ApiError.UnknownModel(id, _known.Models.Keys.Order(StringComparer.Ordinal)).AsException();

    /// <summary>A registration that is still the same stays the same object: what was worked out for it holds on.</summary>
    private async Task<Known> LookAsync(Known before, CancellationToken cancellationToken) =>
        new(
            (await workers.ModelsAsync(cancellationToken)).ToDictionary(
                model => model.Registration.Id,
                model =>
                    before.Models.GetValueOrDefault(model.Registration.Id) is { } old && old.SeenAt == model.SeenAt
                        ? model with { Registration = old.Registration }
                        : model
            ),
            time.GetTimestamp()
        );

    private sealed record Known(IReadOnlyDictionary<string, KnownModel> Models, long? At);
}
