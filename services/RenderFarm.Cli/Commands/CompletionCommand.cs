using System.CommandLine;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>completion</c>: a script for the shell, which then asks this program what could come next.</summary>
internal static class CompletionCommand
{
    // Each asks with the line after the program's name, and the cursor counted from there.
    private const string Bash = """
        _farm() {
            local line=${COMP_LINE#* } word=${COMP_WORDS[COMP_CWORD]} answers
            local at=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
            mapfile -t answers < <("${COMP_WORDS[0]}" "[suggest:$at]" "$line" 2> /dev/null)
            mapfile -t COMPREPLY < <(compgen -W "${answers[*]}" -- "$word")
        }
        complete -o default -F _farm farm ./farm
        """;

    private const string Zsh = """
        #compdef farm ./farm
        _farm() {
            local line=${BUFFER#* }
            local at=$((CURSOR - ${#BUFFER} + ${#line}))
            local -a answers
            answers=("${(@f)$("${(z)BUFFER%% *}" "[suggest:$at]" "$line" 2> /dev/null)}")
            compadd -a answers || _files
        }
        compdef _farm farm ./farm
        """;

    private const string Fish = """
        function __farm_complete
            set -l whole (commandline -cp)
            set -l line (string replace -r '^\S+ ' '' -- $whole)
            eval (commandline -op)[1] "'[suggest:"(string length -- "$line")"]'" (string escape -- $line) 2> /dev/null
        end
        complete -c farm -a '(__farm_complete)'
        """;

    public static Command Create(CommandRunner run, IAnsiConsole console)
    {
        var shell = OptionKinds.ChoiceArgument("shell", "bash, zsh or fish", "bash", "zsh", "fish");
        var command = new Command("completion", "Print a completion script for a shell").WithExamples(
            "completion bash >> ~/.bashrc",
            "completion zsh > ~/.zfunc/_farm",
            "completion fish > ~/.config/fish/completions/farm.fish"
        );
        command.Add(shell);
        run.Run(
            command,
            (parsed, _) =>
            {
                console.Say(
                    parsed.GetValue(shell) switch
                    {
                        "bash" => Bash,
                        "zsh" => Zsh,
                        _ => Fish,
                    }
                );
                return Task.FromResult(0);
            }
        );
        return command;
    }
}
