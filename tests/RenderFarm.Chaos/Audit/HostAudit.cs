using System.Text.Json;
using RenderFarm.Chaos.Farm;

namespace RenderFarm.Chaos.Audit;

/// <summary>The hosts: nothing running, nothing lying about, nobody gone.</summary>
internal sealed class HostAudit(ChaosFarm farm)
{
    /// <summary>What is still going on or lying about.</summary>
    public async Task<IEnumerable<string>> RestlessAsync(CancellationToken cancellationToken) =>
        (await RestAsync(cancellationToken)).SelectMany(finding => finding.Breaches);

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        var died = farm
            .Programs.Values.SelectMany(program => program.HasDied ? program.Deaths.Append(program.LastWords) : program.Deaths)
            .ToList();
        return [new("no program ended by itself", farm.Programs.Count, died), .. await RestAsync(cancellationToken)];
    }

    private async Task<IReadOnlyList<Finding>> RestAsync(CancellationToken cancellationToken)
    {
        var busy = new List<string>();
        using var http = new HttpClient();
        foreach (var name in farm.Workers)
        {
            try
            {
                var health = JsonDocument
                    .Parse(await http.GetStringAsync(new Uri(farm.Programs[name].Health, "/health"), cancellationToken))
                    .RootElement;
                if (
                    health.GetProperty("spoolEntries").GetInt32() > 0
                    || health
                        .GetProperty("slots")
                        .EnumerateArray()
                        .Any(slot => slot.TryGetProperty("job", out var job) && job.ValueKind == JsonValueKind.String)
                )
                {
                    busy.Add($"{name}: {health}");
                }
            }
            catch (HttpRequestException gone)
            {
                busy.Add($"{name} does not answer: {gone.Message}");
            }
        }
        var files = farm
            .Workers.SelectMany(name => new[] { "attempts", "spool" }.Select(folder => Path.Combine(farm.DataDirectory(name), folder)))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFileSystemEntries(folder))
            .ToList();
        var processes = ProcessTable.Below(Environment.ProcessId).Where(process => process.State != 'Z').ToList();
        var orphans = processes
            .Where(process =>
                process.Program == "ffmpeg" || (process.Program == farm.RendererProgram && process.Parent == Environment.ProcessId)
            )
            .ToList();
        return
        [
            new("every slot and spool is empty", farm.Workers.Count, busy),
            new("no file of an attempt is left", farm.Workers.Count, files),
            new(
                "no encoder or orphaned renderer is left",
                processes.Count,
                [.. orphans.Select(process => $"{process.Id} {process.Program}")]
            ),
        ];
    }
}
