using RenderFarm.Hosting.Settings;

namespace RenderFarm.Worker.Configuration;

/// <summary>A setting that can't work; the process ends with it.</summary>
internal sealed class WorkerSettingException(string message) : Exception(message)
{
    public int ExitCode { get; init; } = SettingsFaults.ExitCode;
}
