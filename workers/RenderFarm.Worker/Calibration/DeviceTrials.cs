using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Calibration;

/// <summary>Has the renderer's program look at a slot's device, or measure it. Nothing of it is left when a call returns.</summary>
internal sealed class DeviceTrials(IOptions<WorkerOptions> options, RendererLauncher launcher, CardGuard guard, TimeProvider time)
{
    /// <summary>Kernels are compiled the first time.</summary>
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan MeasurePatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(30);

    /// <summary>Which device and libtorch these are, and what is right there.</summary>
    /// <exception cref="DeviceTrialException"/>
    public Task<DeviceProbe> ProbeAsync(Slot slot, CancellationToken cancellationToken) =>
        AskAsync(slot, ["probe"], ContractsJson.Default.DeviceProbe, ProbePatience, cancellationToken);

    /// <summary>The rates, which are kept in <see cref="WorkerOptions.CalibrationDirectory"/> as well.</summary>
    /// <exception cref="DeviceTrialException"/>
    public Task<CardCalibration> MeasureAsync(Slot slot, CancellationToken cancellationToken) =>
        AskAsync(
            slot,
            ["calibrate", "--json", "--end-with-parent", "--into", options.Value.CalibrationDirectory],
            ContractsJson.Default.CardCalibration,
            MeasurePatience,
            cancellationToken
        );

    private async Task<T> AskAsync<T>(
        Slot slot,
        string[] verb,
        JsonTypeInfo<T> type,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        using var renderer = Start(slot, verb);
        try
        {
            renderer.Child.Input.Close();
            var answer = await renderer.Child.Output.ReadToEndAsync(cancellationToken).WaitAsync(patience, time, cancellationToken);
            var code = await renderer.Child.Exited.WaitAsync(EndPatience, time, cancellationToken);
            return (code == 0 ? Parse(answer, type) : default)
                ?? throw new DeviceTrialException(
                    $"the renderer's {verb[0]} ended with code {code}: {(renderer.Child.Errors.LastLine is { Length: > 0 } said
                        ? said
                        : "it said nothing")}"
                );
        }
        catch (TimeoutException)
        {
            throw new DeviceTrialException($"the renderer's {verb[0]} did not end within {patience.TotalSeconds:0} s");
        }
        finally
        {
            renderer.Child.KillGroup();
            await Task.WhenAny(renderer.Child.Exited, Task.Delay(EndPatience, time, CancellationToken.None));
            await guard.CheckAsync(slot, renderer.Before, renderer.Child.Id);
        }
    }

    private RendererProcess Start(Slot slot, string[] verb)
    {
        try
        {
            return launcher.StartVerb(slot, verb);
        }
        catch (Exception fault) when (fault is IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            throw new DeviceTrialException(fault.Message);
        }
    }

    private static T? Parse<T>(string answer, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(answer, type);
        }
        catch (JsonException)
        {
            return default; // Not an answer: what it wrote to standard error says more
        }
    }
}
