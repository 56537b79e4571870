using System.Text;

namespace RenderFarm.Cli.Errands;

/// <summary>
/// Secrets among the words of a command line, which everybody on a host may read for as long as a program runs. This process becomes
/// itself once more with the words hidden, and what they were in the environment, which only its own user may read.
/// </summary>
internal static class SecretWords
{
    public const string Variable = "RENDERFARM_SECRETS";
    public const string Hidden = "***";
    private const string OwnWords = "/proc/self/cmdline";
    private static readonly string[] Options = ["--postgres", "--rabbitmq", "--s3", "--key", "--join"];

    /// <returns>The words as they were given. Where they hold a secret: never, unless it can't be hidden.</returns>
    public static string[] Open(string[] arguments, TextWriter errors)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } values)
        {
            // Neither for what this process starts nor for what it becomes
            ProcessEnvironment.Unset(Variable);
            return Restore(arguments, values);
        }

        var (shown, hidden) = Hide(arguments);
        if (hidden.Length == 0 || Environment.ProcessPath is not { } program || !File.Exists(OwnWords))
        {
            return arguments;
        }

        // The program, and before the arguments whatever it took to start it
        var words = File.ReadAllText(OwnWords).TrimEnd('\0').Split('\0');
        ProcessEnvironment.Set(Variable, hidden);
        var fault = Launcher.Become(program, [.. words[..^arguments.Length], .. shown]);
        ProcessEnvironment.Unset(Variable);
        errors.WriteLine($"warning: others on this host can read the secrets on this command line: {fault}");
        return arguments;
    }

    /// <summary>Before this process becomes another that ends in this program again.</summary>
    public static IReadOnlyList<string> Pass(IReadOnlyList<string> words)
    {
        var (shown, hidden) = Hide(words);
        if (hidden.Length > 0)
        {
            ProcessEnvironment.Set(Variable, hidden);
        }

        return shown;
    }

    /// <returns>The words to be shown, and what was hidden as text for the environment: empty where nothing was.</returns>
    internal static (string[] Shown, string Hidden) Hide(IReadOnlyList<string> words)
    {
        var (shown, hidden) = (words.ToArray(), new List<string>());
        for (var i = 0; i < shown.Length; i++)
        {
            var option = Array.Find(Options, option => shown[i].StartsWith(option, StringComparison.Ordinal));
            if (option is null)
            {
                continue;
            }

            var rest = shown[i][option.Length..];
            if (rest.Length == 0 && i + 1 < shown.Length && shown[i + 1] != Hidden)
            {
                hidden.Add(shown[++i]);
                shown[i] = Hidden;
            }
            else if (rest is ['=' or ':', .. var value] && value != Hidden)
            {
                hidden.Add(value);
                shown[i] = option + rest[0] + Hidden;
            }
        }

        return (shown, string.Join(' ', hidden.Select(value => Convert.ToBase64String(Encoding.UTF8.GetBytes(value)))));
    }

    /// <summary>The way back.</summary>
    internal static string[] Restore(IReadOnlyList<string> shown, string hidden)
    {
        var values = new Queue<string>(hidden.Split(' ').Select(value => Encoding.UTF8.GetString(Convert.FromBase64String(value))));
        var words = shown.ToArray();
        for (var i = 0; i < words.Length && values.Count > 0; i++)
        {
            if (words[i] == Hidden && i > 0 && Options.Contains(words[i - 1]))
            {
                words[i] = values.Dequeue();
            }
            else if (Array.Exists(Options, option => words[i] == $"{option}={Hidden}" || words[i] == $"{option}:{Hidden}"))
            {
                words[i] = words[i][..^Hidden.Length] + values.Dequeue();
            }
        }

        return words;
    }
}
