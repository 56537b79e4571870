using System.CommandLine;
using System.Text.Json.Nodes;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Tests.Parsing;

public sealed class ParseFaultTests
{
    [Theory]
    [InlineData("show", "id is missing: The video")]
    [InlineData("show a b", "'b' is one word too many: show takes <id>")]
    [InlineData("show a --steps many", "--steps is 'many': it must be a whole number from 1 to 100")]
    [InlineData("show a --steps 0", "--steps is '0': it must be a whole number from 1 to 100")]
    [InlineData("show a --steps", "--steps needs a value: Denoise steps")]
    [InlineData("show a --steps 1 --steps 2", "--steps was given 2 times: it takes one value")]
    [InlineData("show a --rate nan", "--rate is 'nan': it must be a number of 0.5 or more")]
    [InlineData("show a --device tpu", "--device is 'tpu': it must be cpu or cuda")]
    [InlineData("show a --size 12", "--size is '12': it must be width x height, such as 832x480")]
    [InlineData("show a --port x", "--port is 'x': it must be a whole number")]
    [InlineData("show a --steps 7 --divice cpu", "there is no option --divice; did you mean --device?")]
    [InlineData("show --stpes 7", "there is no option --stpes; did you mean --steps?")]
    [InlineData("show --qqqqqqqqqqqqqq=7 a", "there is no option --qqqqqqqqqqqqqq; ./farm show --help names them")]
    [InlineData("make", "--out is needed: Where it goes")]
    [InlineData("keys", "keys needs a verb: list, create")]
    [InlineData("keys lst", "there is no verb keys lst; did you mean list?")]
    [InlineData("shwo", "there is no verb shwo; did you mean show?")]
    [InlineData("completelyelse", "there is no verb completelyelse; there are show, make, keys")]
    [InlineData("", "a verb is needed: show, make, keys")]
    public async Task Run_AWrongLine_IsOneSentenceThatNamesTheWordAndWhatIsAccepted(string line, string expected)
    {
        using var errors = new StringWriter();

        var code = await VerbProgram.RunAsync(Program(), line.Split(' ', StringSplitOptions.RemoveEmptyEntries), errors);

        Assert.Equal(VerbProgram.Wrong, code);
        Assert.Equal($"error: invalid_option: {expected}{Environment.NewLine}", errors.ToString());
    }

    [Fact]
    public async Task Run_AWrongLineWithJson_IsAnErrorObject()
    {
        using var errors = new StringWriter();

        Assert.Equal(VerbProgram.Wrong, await VerbProgram.RunAsync(Program(), ["show", "a", "--json", "--steps", "x"], errors));

        var error = JsonNode.Parse(errors.ToString())!["error"]!;
        Assert.Equal(
            ("invalid_option", "--steps", "--steps is 'x': it must be a whole number from 1 to 100"),
            ((string)error["code"]!, (string)error["param"]!, (string)error["message"]!)
        );
    }

    [Theory]
    [InlineData("show a --steps 7 --device cuda --size 64x48 --rate 0.5")]
    [InlineData("show -- --a")]
    [InlineData("show @a")]
    [InlineData("show a --note --odd")]
    public async Task Run_ARightLine_RunsTheVerb(string line)
    {
        using var errors = new StringWriter();

        Assert.Equal(0, await VerbProgram.RunAsync(Program(), line.Split(' '), errors));

        Assert.Empty(errors.ToString());
    }

    [Fact]
    public async Task Run_HelpOfAVerbThatNeedsMore_IsHelp()
    {
        using var errors = new StringWriter();
        using var output = new StringWriter();

        Assert.Equal(
            0,
            await VerbProgram.RunAsync(
                Program(),
                ["show", "--steps", "x", "--help"],
                errors,
                new InvocationConfiguration { Output = output }
            )
        );

        Assert.Contains("  ./farm show a", output.ToString(), StringComparison.Ordinal);
        Assert.Empty(errors.ToString());
    }

    [Fact]
    public async Task Run_AVerbThatRefuses_EndsWithItsCodeAndSentence()
    {
        using var errors = new StringWriter();
        var root = new RootCommand("A program");
        var verb = new Command("verb");
        verb.SetAction(int (_) => throw VerbException.Wrong("there is no folder x"));
        root.Add(verb);

        Assert.Equal(VerbProgram.Wrong, await VerbProgram.RunAsync(root, ["verb"], errors));

        Assert.Equal($"error: invalid_option: there is no folder x{Environment.NewLine}", errors.ToString());
    }

    private static RootCommand Program()
    {
        var show = new Command("show", "Show a video")
        {
            new Argument<string>("id") { Description = "The video" },
            OptionKinds.OptionalWhole("--steps", "Denoise steps", 1, 100),
            OptionKinds.OptionalNumber("--rate", "Requests a second", 0.5),
            OptionKinds.Choice("--device", "Where", "cpu", "cpu", "cuda"),
            OptionKinds.OptionalSize("--size", "Pixels"),
            new Option<int>("--port") { Description = "A port" },
            new Option<string?>("--note") { Description = "Anything" },
            new Option<bool>("--json"),
        }.WithExamples("show a");
        var make = new Command("make", "Make one")
        {
            new Option<string>("--out") { Description = "Where it goes", Required = true },
        };
        var keys = new Command("keys", "Keys") { new Command("list"), new Command("create") };
        foreach (var verb in (Command[])[show, make, .. keys.Subcommands])
        {
            verb.SetAction(_ => 0);
        }
        var root = new RootCommand("A program") { show, make, keys };
        VerbExamples.AddTo(root);
        return root;
    }
}
