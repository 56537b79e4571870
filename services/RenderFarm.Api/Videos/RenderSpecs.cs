using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning;
using RenderFarm.Planning.StepCaching;

namespace RenderFarm.Api.Videos;

/// <summary>Fills a model's defaults into a request and checks what depends on the model.</summary>
internal static class RenderSpecs
{
    /// <param name="seed">Used when the request names none.</param>
    /// <param name="picture">The size of the picture to start from: the video gets its proportions unless the request says
    /// otherwise.</param>
    /// <param name="quality">The farm's, used when the request names none.</param>
    public static RenderSpec Complete(
        VideoRequest request,
        ModelShape model,
        long seed,
        FrameSize? picture = null,
        Quality quality = Quality.Balanced
    )
    {
        var defaults = model.Defaults;
        var size =
            request.Size
            ?? (picture is { } seen ? Of(PictureSize.Of(model, seen.Width, seen.Height)) : new FrameSize(defaults.Width, defaults.Height));
        CheckSize(size, defaults);
        CheckStepCache(request, model);
        var preset = Preset(request, model);
        var steps = request.Steps ?? preset?.Steps ?? defaults.Steps;
        var fps = request.Fps ?? defaults.Fps;
        return new RenderSpec
        {
            Model = model.Id,
            Prompt = request.Prompt,
            NegativePrompt = request.NegativePrompt ?? defaults.NegativePrompt,
            Width = size.Width,
            Height = size.Height,
            Frames = request.Frames ?? FramesOf(request.Seconds, fps) ?? defaults.Frames,
            Fps = fps,
            Steps = steps,
            GuidanceScale = request.GuidanceScale ?? preset?.GuidanceScale ?? defaults.GuidanceScale,
            HighNoiseGuidanceScale = request.GuidanceScale is null && preset is null ? defaults.HighNoiseGuidanceScale : null,
            Shift =
                request.Shift
                ?? (request.LastFrame is null ? null : preset?.LastFrameShift)
                ?? preset?.Shift
                ?? defaults.ShiftOf(size.Width, size.Height),
            BoundaryStep = steps == preset?.Steps ? preset.BoundaryStep : null,
            Sampler = request.Sampler ?? preset?.Sampler ?? defaults.Sampler,
            StepCache = request.StepCache,
            Seed = request.Seed ?? seed,
            Loras = request.Loras,
            Quality = request.Quality ?? quality,
            Plan = request.Plan,
            Debug = request.Debug,
        };
    }

    private static RenderPreset? Preset(VideoRequest request, ModelShape model)
    {
        if (request.Preset is not { } name)
        {
            return null;
        }

        return model.Presets.FirstOrDefault(preset => preset.Name == name)
            ?? throw ApiError
                .InvalidValue(
                    "preset",
                    model.Presets.Count == 0
                        ? $"'preset' is '{name}'; model '{model.Id}' has none."
                        : $"'preset' is '{name}'; model '{model.Id}' has: {string.Join(", ", model.Presets.Select(preset => preset.Name))}."
                )
                .AsException();
    }

    private static void CheckStepCache(VideoRequest request, ModelShape model)
    {
        if (request.StepCache is { } choice && PublishedStepCaches.Fault(model.Id, choice) is { } fault)
        {
            throw ApiError.InvalidValue("step_cache", $"'step_cache': {fault}.").AsException();
        }
    }

    private static FrameSize Of((int Width, int Height) size) => new(size.Width, size.Height);

    /// <summary>Seconds as frames, rounded to the nearest 4n+1.</summary>
    private static int? FramesOf(double? seconds, int fps)
    {
        if (seconds is not { } length)
        {
            return null;
        }

        var frames = (4 * Math.Max(0, (int)Math.Round(((length * fps) - 1) / 4, MidpointRounding.AwayFromZero))) + 1;
        return frames <= VideoLimits.MaxFrames
            ? frames
            : throw ApiError
                .InvalidValue(
                    "seconds",
                    $"'seconds' is {length}, which is {frames} frames at {fps} fps; at most {VideoLimits.MaxFrames} frames are "
                        + $"rendered: {(double)VideoLimits.MaxFrames / fps:0.##} seconds."
                )
                .AsException();
    }

    private static void CheckSize(FrameSize size, ModelDefaults model)
    {
        if (VideoLimits.SizeFault(size.Width, size.Height, model) is { } fault)
        {
            throw ApiError
                .InvalidValue("size", $"'size' is {size}: {fault}. The nearest accepted size is {NearestSize(size, model)}.")
                .AsException();
        }
    }

    /// <summary>Keeps the shape as far as the grid allows: first under the area, then onto the grid.</summary>
    private static FrameSize NearestSize(FrameSize size, ModelDefaults model)
    {
        var step = model.SizeMultiple;
        var limit = VideoLimits.MostPixels(model);
        var shrink = Math.Min(1, Math.Sqrt(model.MaxArea / (double)size.Area));
        var (width, height) = (Snap(size.Width * shrink), Snap(size.Height * shrink));

        // A very thin shape keeps one grid step of the short side, and its long side pays.
        while ((long)width * height > limit)
        {
            (width, height) = width >= height ? (width - step, height) : (width, height - step);
        }

        return new FrameSize(width, height);

        int Snap(double side) =>
            Math.Clamp((int)Math.Round(side / step, MidpointRounding.AwayFromZero), 1, VideoLimits.MaxSide / step) * step;
    }
}
