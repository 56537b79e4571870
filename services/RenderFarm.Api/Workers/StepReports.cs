using RenderFarm.Api.Errors;
using RenderFarm.Api.Events;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Workers;

/// <summary>What workers report between their renewals, for whoever watches at this moment.</summary>
internal static class StepReports
{
    private const int MaxPreviewBytes = 512 << 10;

    public static async Task<ProgressReply> TakeAsync(
        string job,
        ProgressReport report,
        EventHub hub,
        CancellationToken cancellationToken
    )
    {
        if (report.Step < 0 || report.Steps < report.Step)
        {
            throw ApiError.InvalidValue("step", "'step' must be from 0 to 'steps'.").AsException();
        }

        if (report.Preview is { } picture && (picture.Length > MaxPreviewBytes || report.PreviewType is not ("image/png" or "image/jpeg")))
        {
            throw ApiError
                .InvalidValue(
                    "preview",
                    $"'preview' must be image/png or image/jpeg, as 'preview_type' says, of at most {MaxPreviewBytes} bytes."
                )
                .AsException();
        }

        await hub.ReportAsync(
            new ProgressNotice(job, report.Fence, report.Stage, report.Step, report.Steps)
            {
                Preview = report.Preview,
                PreviewType = report.PreviewType,
            },
            cancellationToken
        );
        return new ProgressReply(hub.WantsPreview(job));
    }
}
