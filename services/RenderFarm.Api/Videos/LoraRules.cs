using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Models;

namespace RenderFarm.Api.Videos;

/// <summary>LoRAs that a request may name: those that lie beside the model on the workers.</summary>
internal static class LoraRules
{
    /// <exception cref="ApiErrorException">400 <c>invalid_value</c>, naming those there are.</exception>
    public static void Require(VideoRequest request, ModelRegistration model)
    {
        for (var i = 0; i < request.Loras.Count; i++)
        {
            var name = request.Loras[i].Name;
            if (!model.Loras.Contains(name, StringComparer.Ordinal))
            {
                throw ApiError
                    .InvalidValue(
                        $"loras[{i}].name",
                        $"'loras[{i}].name' is '{name}'; model '{model.Id}' has "
                            + (model.Loras.Count == 0 ? "no LoRAs." : $"{string.Join(", ", model.Loras)}.")
                    )
                    .AsException();
            }
        }
    }
}
