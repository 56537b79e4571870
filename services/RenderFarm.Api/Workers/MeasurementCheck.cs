using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Api.Workers;

/// <summary>Figures that a worker reports, before they correct anybody's plan: none of them can be below zero.</summary>
internal static class MeasurementCheck
{
    private const string BelowZero = "is below zero: leave out what was not measured";

    /// <exception cref="Errors.ApiErrorException">400 <c>invalid_value</c> naming the figure.</exception>
    public static void Require(Measurements? measured)
    {
        if (measured is null)
        {
            return;
        }

        const string Of = "measurements.";
        Require(Of + "load_seconds", measured.LoadSeconds);
        Require(Of + "encode_text_seconds", measured.EncodeTextSeconds);
        Require(Of + "encode_image_seconds", measured.EncodeImageSeconds);
        Require(Of + "step_seconds", measured.StepSeconds);
        Require(Of + "denoise_seconds", measured.DenoiseSeconds);
        Require(Of + "decode_seconds", measured.DecodeSeconds);
        Require(Of + "upload_seconds", measured.UploadSeconds);
        Require(Of + "seconds_to_first_step", measured.SecondsToFirstStep);
        Require(Of + "process_start_seconds", measured.ProcessStartSeconds);
        Require(Of + "predicted_peak_bytes", measured.PredictedPeakBytes);
        Require(Of + "peak_bytes", measured.PeakBytes);
        Require(Of + "free_bytes", measured.FreeBytes);
        Require(Of + "requested_bytes", measured.RequestedBytes);
        foreach (var (stage, bytes) in measured.StagePeakBytes ?? new Dictionary<string, long>())
        {
            Require($"{Of}stage_peak_bytes.{stage}", bytes);
        }
    }

    /// <inheritdoc cref="Require(Measurements?)"/>
    public static void Require(RenderPlan? plan)
    {
        if (plan is null)
        {
            return;
        }

        Require("plan.predicted_peak_bytes", plan.PredictedPeakBytes);
        Require("plan.uncorrected_peak_bytes", plan.UncorrectedPeakBytes);
        Require("plan.predicted_step_seconds", plan.PredictedStepSeconds);
        Require("plan.uncorrected_step_seconds", plan.UncorrectedStepSeconds);
        Require("plan.predicted_seconds", plan.PredictedSeconds);
    }

    private static void Require(string field, double? figure) => WorkerClaims.Refuse(figure < 0, field, BelowZero);
}
