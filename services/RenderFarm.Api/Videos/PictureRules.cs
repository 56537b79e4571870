using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Videos;

/// <summary>Which pictures a model takes, and which it can't do without.</summary>
internal static class PictureRules
{
    /// <exception cref="ApiErrorException">400, naming the picture that is missing or not taken.</exception>
    public static void Require(VideoRequest request, ModelShape model)
    {
        var (first, last) = (request.InputReference is not null, request.LastFrame is not null);
        if (first && !model.TakesFirstFrame)
        {
            throw ApiError
                .UnsupportedImage(InputRoles.FirstFrame, $"Model '{model.Id}' renders from text only; leave '{InputRoles.FirstFrame}' out.")
                .AsException();
        }

        if (last && !model.TakesLastFrame)
        {
            throw ApiError
                .UnsupportedImage(
                    InputRoles.LastFrame,
                    $"Model '{model.Id}' takes no picture to end on; leave '{InputRoles.LastFrame}' out."
                )
                .AsException();
        }

        if (!first && (last || model.NeedsFirstFrame))
        {
            throw ApiError
                .InvalidValue(
                    InputRoles.FirstFrame,
                    last
                        ? $"'{InputRoles.LastFrame}' needs '{InputRoles.FirstFrame}' beside it: the picture to start from."
                        : $"Model '{model.Id}' starts from a picture: send '{InputRoles.FirstFrame}', a file or {{image_url}}."
                )
                .AsException();
        }

        if (!last && model.NeedsLastFrame)
        {
            throw ApiError
                .InvalidValue(
                    InputRoles.LastFrame,
                    $"Model '{model.Id}' renders between two pictures: send '{InputRoles.LastFrame}' too, a file or {{image_url}}."
                )
                .AsException();
        }
    }
}
