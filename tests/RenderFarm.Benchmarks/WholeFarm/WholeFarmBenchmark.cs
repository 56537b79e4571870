using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>
/// What a farm does with a card, through all of its processes: a job whose weights nobody has prepared, one whose weights are there,
/// whole short jobs, little memory, less and less memory, a killed renderer, a cancelled job, many small jobs. Every part runs on the
/// farm of the part before; a part that fails is a missed limit, and the next one runs.
/// </summary>
internal sealed class WholeFarmBenchmark : IAsyncDisposable
{
    private const double MostColdSeconds = 20;
    private const double MostWarmSeconds = 3;
    private const double MostStandbySeconds = 1.5;
    private const double MostShortJobSeconds = 11;
    private const double MostSeenPromptSeconds = 0.02;
    private const double MostNewPromptSeconds = 0.6;
    private const double MostCancelSeconds = 3;
    private const double MostPeak = 1.02; // Of what was planned
    private const int ShortSteps = 4;
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LoadedWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MeasuredWithin = TimeSpan.FromSeconds(90);

    private readonly WholeFarmOptions _options;
    private readonly FigureReport _report;
    private readonly CardWatch _card;
    private readonly FarmModels _models;
    private readonly string _weightCache;
    private readonly string _rates;
    private FarmAtHand? _farm;
    private int _seed;

    private WholeFarmBenchmark(WholeFarmOptions options, FigureReport report)
    {
        (_options, _report, _card, _models) = (options, report, CardWatch.Open(options.OnCard), FarmModels.In(options.Models));
        _weightCache = string.Create(CultureInfo.InvariantCulture, $"/dev/shm/farm-whole-{Environment.ProcessId}");
        _rates = Directory.CreateTempSubdirectory("farm-rates-").FullName;
    }

    public static async Task<int> RunAsync(WholeFarmOptions options, FigureReport report)
    {
        if (options.After is { } earlier)
        {
            report.GoOnFrom(earlier);
        }

        await using var bench = new WholeFarmBenchmark(options, report);
        await bench.RunAsync();
        return report.Finish();
    }

    public async ValueTask DisposeAsync()
    {
        await StopFarmAsync();
        _models.Dispose();
        _card.Dispose();
        foreach (var folder in new[] { _weightCache, _rates }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RunAsync()
    {
        _report.Machine["cards"] = _card.Cards;
        _report.Machine["driver"] = _card.Driver;
        _report.Details["request"] = string.Create(
            CultureInfo.InvariantCulture,
            $"{_options.Model}, {_options.Size.Width}x{_options.Size.Height}, {_options.Frames} frames"
        );
        var clock = Stopwatch.StartNew();
        foreach (var part in _options.Parts)
        {
            if (clock.Elapsed > _options.Budget)
            {
                _report.Check(part, holds: false, "not run: the time given was over");
                continue;
            }

            var started = clock.Elapsed;
            try
            {
                await PartOf(part)();
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                _report.Check(part, holds: false, fault.Message);
            }

            _report.Say(string.Create(CultureInfo.InvariantCulture, $"        {part}: {(clock.Elapsed - started).TotalSeconds:0.0} s"));
        }
    }

    private Func<Task> PartOf(string part) =>
        part switch
        {
            "weights" => WeightsAsync,
            "demo" => DemoAsync,
            "rates" => () => OnCardAsync(part, RatesAsync),
            "many" => ManyAsync,
            "cold" => ColdAsync,
            "warm" => WarmAsync,
            "first-step" => FirstStepAsync,
            "tight" => () => OnCardAsync(part, TightAsync),
            "growing" => () => OnCardAsync(part, GrowingAsync),
            "killed" => KilledAsync,
            "cancelled" => CancelledAsync,
            _ => throw new ArgumentOutOfRangeException(nameof(part), part, "is no part"),
        };

    /// <summary>An idle card is measured by the worker, without anybody asking for it.</summary>
    private async Task RatesAsync()
    {
        var farm = await FarmAsync();
        var clock = Stopwatch.StartNew();
        await Eventually.TrueAsync(farm.IsMeasuredAsync, MeasuredWithin, "the card's rates to be measured");
        _report.Figure("rates, idle to measured", clock.Elapsed.TotalSeconds, "s");
    }

    private async Task WeightsAsync()
    {
        if (await _models.MakeAsync(_options.Model) is { } seconds)
        {
            _report.Figure($"{_options.Model}, random weights made", seconds, "s");
        }
    }

    private async Task DemoAsync()
    {
        var farm = await FarmAsync();
        var demo = await farm.RenderAsync(new { model = "demo", prompt = "a red ball rolls to the right on green", seed = 1 });
        var bytes = demo.IsCompleted ? await farm.DownloadAsync(demo.Id) : [];
        var isMp4 = bytes.Length > 8 && bytes.AsSpan(4, 4).SequenceEqual("ftyp"u8);
        _report.Check("demo: a video of the demo model", demo.IsCompleted && isMp4, $"{demo.Outcomes}, an MP4 of {bytes.Length} bytes");
        _report.Figure("demo, submit to stored", demo.Seconds, "s");
    }

    private async Task ManyAsync()
    {
        var farm = await FarmAsync();
        var before = await SettledAsync(farm);
        var lowest = long.MaxValue;
        var failed = new List<string>();
        var clock = Stopwatch.StartNew();
        for (var job = 1; job <= _options.Jobs; job++)
        {
            var small = await farm.RenderAsync(
                new
                {
                    model = "demo",
                    prompt = "a blue square falls on white",
                    frames = 5,
                    steps = 4,
                    seed = job,
                }
            );
            if (!small.IsCompleted || small.Attempts.Count > 1)
            {
                failed.Add($"{small.Id}: {small.Outcomes}");
            }

            lowest = Math.Min(lowest, await _card.FreeAgainAsync(before, BackWithin));
        }

        _report.Check(
            "many: each done at its first attempt",
            failed.Count == 0,
            $"{_options.Jobs - failed.Count} of {_options.Jobs}{(failed.Count == 0 ? "" : "; " + failed[0])}"
        );
        _report.Figure("many, a job and its memory back", clock.Elapsed.TotalSeconds / _options.Jobs, "s");
        if (_options.OnCard)
        {
            _report.Figure(
                "many, memory missing after a job at most",
                Math.Max(0, before - lowest) / (double)(1 << 20),
                "MiB",
                CardWatch.ToleranceBytes >> 20
            );
        }
    }

    private async Task ColdAsync()
    {
        await StopFarmAsync();
        if (Directory.Exists(_weightCache))
        {
            Directory.Delete(_weightCache, recursive: true);
        }

        var farm = await FarmAsync();
        var cold = await farm.RenderAsync(Large(_options.Steps, guided: true));
        Tell("cold", cold);
        Limit("cold, lease to first step", cold.Measured("seconds_to_first_step"), MostColdSeconds);
    }

    private async Task WarmAsync()
    {
        var farm = await PreparedAsync();
        await SettledAsync(farm);
        var warm = await farm.RenderAsync(Large(_options.Steps, guided: true));
        Tell("warm", warm);
        Limit("warm, lease to first step", warm.Measured("seconds_to_first_step"), _options.Standby ? MostStandbySeconds : MostWarmSeconds);
        var precision = warm.Plan.GetProperty("precision").GetString();
        if (_options.OnCard)
        {
            _report.Check("warm: fp8 without a calibration by hand", precision == "fp8", $"planned in {precision}");
        }
    }

    /// <summary>Short jobs without guidance: a prompt that is new, the same once more, and one for a worker without a standby.</summary>
    private async Task FirstStepAsync()
    {
        var farm = await PreparedAsync();
        var request = Large(ShortSteps, guided: false);
        await SettledAsync(farm);
        var unseen = await farm.RenderAsync(request);
        Tell("new prompt", unseen);
        Limit("new prompt, text encoded", unseen.Measured("encode_text_seconds"), MostNewPromptSeconds);
        await SettledAsync(farm);
        var seen = await farm.RenderAsync(request);
        Tell("prompt seen before", seen);
        Limit("prompt seen before, text encoded", seen.Measured("encode_text_seconds"), MostSeenPromptSeconds);
        var most = _options.Standby ? MostStandbySeconds : MostWarmSeconds;
        Limit("prompt seen before, lease to first step", seen.Measured("seconds_to_first_step"), most);
        Limit("prompt seen before, submit to stored", seen.Seconds, MostShortJobSeconds);
        if (_options.Standby)
        {
            await StopFarmAsync();
            await using (var alone = await FarmAtHand.StartAsync(_options, _models.Folder, (_weightCache, _rates), standby: false))
            {
                var fresh = await alone.RenderAsync(request);
                Tell("without standby", fresh);
                Limit("without standby, lease to first step", fresh.Measured("seconds_to_first_step"), MostWarmSeconds);
            }
        }
    }

    private async Task TightAsync()
    {
        var farm = await PreparedAsync();
        var before = await SettledAsync(farm);
        var left = (long)(_options.LeftGibibytes * (1L << 30));
        await using (await Neighbour.LeavingAsync(left))
        {
            var tight = await farm.RenderAsync(Large(3, guided: true));
            Tell("tight", tight);
            _report.Check("tight: done at its first attempt", tight.IsCompleted && tight.Attempts.Count == 1, tight.Outcomes);
        }

        await _card.FreeAgainAsync(before, BackWithin);
    }

    private async Task GrowingAsync()
    {
        var farm = await PreparedAsync();
        var before = await SettledAsync(farm);
        var more = (long)(_options.LeftGibibytes * (1L << 30));
        await using (var neighbour = await Neighbour.LeavingAsync(more * 7 / 4))
        {
            var clock = Stopwatch.StartNew();
            var id = await farm.SubmitAsync(Large(3, guided: true));
            await farm.DenoisingAsync(id);
            await neighbour.TakeAsync(more);
            var grown = await farm.FinishedAsync(id, clock);
            Tell("growing", grown);
            _report.Check("growing: done beside the neighbour that took more", grown.IsCompleted, grown.Outcomes);
        }

        await _card.FreeAgainAsync(before, BackWithin);
    }

    private async Task KilledAsync()
    {
        var farm = await PreparedAsync();
        await SettledAsync(farm);
        var clock = Stopwatch.StartNew();
        var id = await farm.SubmitAsync(Large(ShortSteps, guided: true));
        await farm.DenoisingAsync(id);
        var killed = clock.Elapsed;
        FarmProcess.KillHard(farm.RendererAtWork());
        await farm.DenoisingAsync(id, attempt: 2);
        _report.Figure("killed, until it is denoised again", (clock.Elapsed - killed).TotalSeconds, "s");
        var again = await farm.FinishedAsync(id, clock);
        Tell("killed", again);
        var told = again.Outcomes.Contains("renderer_crashed", StringComparison.Ordinal);
        _report.Check("killed: done at its second attempt", again.IsCompleted && again.Attempts.Count == 2 && told, again.Outcomes);
    }

    private async Task CancelledAsync()
    {
        var farm = await PreparedAsync();
        var before = await SettledAsync(farm);
        var id = await farm.SubmitAsync(Large(50, guided: true));
        await farm.DenoisingAsync(id);
        var clock = Stopwatch.StartNew();
        await farm.CancelAsync(id);
        var free = await _card.FreeAgainAsync(before, TimeSpan.FromSeconds(30));
        var seconds = clock.Elapsed.TotalSeconds;
        var status = await Eventually.ValueAsync(() => farm.StandingAsync(id), seen => seen == "cancelled", BackWithin, "the video's end");
        Limit("cancelled, until its memory is back", seconds, MostCancelSeconds);
        _report.Check(
            "cancelled: no memory is missing",
            !_options.OnCard || free >= before - CardWatch.ToleranceBytes,
            $"{status}, {free >> 20} MiB free, {before >> 20} before"
        );
    }

    private async Task OnCardAsync(string part, Func<Task> run)
    {
        if (_options.OnCard)
        {
            await run();
        }
        else
        {
            _report.Say($"        {part}: only a card has such a neighbour");
        }
    }

    private async Task<FarmAtHand> FarmAsync()
    {
        await WeightsAsync();
        return _farm ??= await FarmAtHand.StartAsync(_options, _models.Folder, (_weightCache, _rates), _options.Standby);
    }

    /// <summary>The farm, with the large model's weights prepared and in the page cache.</summary>
    private async Task<FarmAtHand> PreparedAsync()
    {
        var farm = await FarmAsync();
        if (!_options.OnCard)
        {
            return farm; // A processor renders from the checkpoint as it is
        }

        if (!Directory.Exists(_weightCache) || Directory.GetFiles(_weightCache, "*.blocks", SearchOption.AllDirectories).Length == 0)
        {
            var first = await farm.RenderAsync(Large(1, guided: false));
            _report.Say($"        weights prepared by a job of one step: {first.Outcomes}");
        }

        return farm;
    }

    private async Task StopFarmAsync()
    {
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
            _farm = null;
        }
    }

    /// <summary>What is free of the card with nothing at work: the renderer that stands by is there, the last job's is gone.</summary>
    private async Task<long> SettledAsync(FarmAtHand farm)
    {
        var renderers = _options.Standby ? 1 : 0;
        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Worker.Children("RenderFarm.Renderer").Count == renderers),
            MeasuredWithin, // What the worker measures by itself would be ended by the next job, which would wait for that
            $"{renderers} renderers beside no job"
        );
        if (!_options.OnCard)
        {
            return 0;
        }

        if (_options.Standby && farm.HasRendered)
        {
            await Eventually.TrueAsync(farm.StandbyIsLoadedAsync, LoadedWithin, "the standby to have the last job's weights near");
        }

        // A context is made in the better part of a second: the card is at rest once its figure has stood still for one
        var (last, still) = (_card.FreeBytes, Stopwatch.StartNew());
        return await Eventually.ValueAsync(
            () =>
            {
                if (_card.FreeBytes != last)
                {
                    last = _card.FreeBytes;
                    still.Restart();
                }

                return Task.FromResult(last);
            },
            _ => still.Elapsed > TimeSpan.FromSeconds(1),
            TimeSpan.FromSeconds(30),
            "the card to come to rest"
        );
    }

    private object Large(int steps, bool guided) =>
        new
        {
            model = _options.Model,
            prompt = string.Create(CultureInfo.InvariantCulture, $"a harbour at dawn, boats leaving one by one, take {++_seed}"),
            size = string.Create(CultureInfo.InvariantCulture, $"{_options.Size.Width}x{_options.Size.Height}"),
            frames = _options.Frames,
            steps,
            guidance_scale = guided ? 5.0 : 1.0,
            seed = 5,
        };

    private void Tell(string name, Rendered rendered)
    {
        if (!rendered.IsCompleted)
        {
            _report.Check($"{name}: completed", holds: false, $"{rendered.Outcomes}: {rendered.Video}");
            return;
        }

        foreach (
            var (what, figure) in new[]
            {
                ("loading", "load_seconds"),
                ("text", "encode_text_seconds"),
                ("step", "step_seconds"),
                ("denoising", "denoise_seconds"),
                ("decoding", "decode_seconds"),
                ("upload", "upload_seconds"),
            }
        )
        {
            if (rendered.Measured(figure) is { } value)
            {
                _report.Figure($"{name}, {what}", value, "s");
            }
        }

        _report.Figure($"{name}, submit to stored", rendered.Seconds, "s");
        if (rendered.Measured("peak_bytes") is { } peak && rendered.Measured("predicted_peak_bytes") is { } planned)
        {
            _report.Figure($"{name}, peak", peak / (1L << 30), "GiB");
            Limit($"{name}, peak ÷ planned", peak / planned, MostPeak, unit: "");
        }

        _report.Details[name] = JsonNode.Parse(rendered.Plan.GetRawText());
        string Planned(string field) => rendered.Plan.TryGetProperty(field, out var value) ? value.ToString() : "?";
        _report.Say(
            $"        {name}: {rendered.Outcomes}; {Planned("precision")}, attention {Planned("attention")}, "
                + $"{Planned("blocks_resident")} blocks resident, {Planned("blocks_streamed")} streamed"
        );
    }

    /// <summary>On a card a limit, elsewhere only a figure.</summary>
    private void Limit(string name, double? value, double most, string unit = "s") =>
        _report.Figure(name, value ?? double.NaN, unit, _options.OnCard ? most : null);
}
