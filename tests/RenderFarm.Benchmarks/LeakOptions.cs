using System.Globalization;

namespace RenderFarm.Benchmarks;

/// <summary>What <c>leaks</c> is asked to run.</summary>
internal sealed record LeakOptions
{
    public int Jobs { get; private init; } = 1000;

    /// <summary><c>cpu</c>, or <c>auto</c> for the cards of this host.</summary>
    public string Slots { get; private init; } = "cpu";
    public string Model { get; private init; } = "tiny";
    public string Size { get; private init; } = "64x48";
    public int Frames { get; private init; } = 5;
    public int Steps { get; private init; } = 2;
    public bool Standby { get; private init; }

    /// <summary>A file for what was found, as JSON.</summary>
    public string? Report { get; private init; }

    /// <exception cref="ArgumentException">Names the option and what it takes.</exception>
    public static LeakOptions Parse(string[] arguments)
    {
        var options = new LeakOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--standby")
            {
                options = options with { Standby = true };
                continue;
            }
            var name = arguments[i];
            var value = ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{name} needs a value");
            options = name switch
            {
                "--jobs" => options with { Jobs = Whole(name, value, 10) },
                "--slots" when value is "cpu" or "auto" => options with { Slots = value },
                "--slots" => throw new ArgumentException("--slots is cpu or auto"),
                "--model" => options with { Model = value },
                "--size" => options with { Size = value },
                "--frames" => options with { Frames = Whole(name, value, 1) },
                "--steps" => options with { Steps = Whole(name, value, 1) },
                "--report" => options with { Report = Path.GetFullPath(value) },
                _ => throw new ArgumentException(
                    $"unknown option {name}; it takes --jobs N --slots cpu|auto --model ID --size WxH --frames N --steps N --standby "
                        + "--report FILE"
                ),
            };
        }
        return options;
    }

    /// <summary>A weight cache of its own, in shared memory as on a real host; not among what a job may not leave behind.</summary>
    public static string WeightCache { get; } = string.Create(CultureInfo.InvariantCulture, $"/dev/shm/farm-leaks-{Environment.ProcessId}");

    public Dictionary<string, string> Settings() =>
        new()
        {
            ["Worker__Slots"] = Slots,
            ["Worker__Standby"] = Standby ? "true" : "false",
            ["Worker__WeightCacheDirectory"] = WeightCache,
        };

    public Dictionary<string, object> Request(int number) =>
        new()
        {
            ["model"] = Model,
            ["prompt"] = $"clip {number} of many",
            ["size"] = Size,
            ["frames"] = Frames,
            ["fps"] = 8,
            ["steps"] = Steps,
            ["seed"] = number,
        };

    private static int Whole(string name, string value, int least) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number >= least
            ? number
            : throw new ArgumentException($"{name} is a whole number of {least} or more, not '{value}'");
}
