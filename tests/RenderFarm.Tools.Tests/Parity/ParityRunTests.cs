using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Tools.Parity;
using RenderFarm.Verbs.Parsing;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Tests.Parity;

/// <summary>The golden files pass; files that are damaged in any way fail, with a line that says where.</summary>
public sealed class ParityRunTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("renderfarm-test-");

    [Theory]
    [InlineData("dit_t2v.safetensors", "out.block0", "out.block1", "out.block2", "out.v")]
    [InlineData("dit_t2v_head128.safetensors", "out.block0", "out.block1", "out.v")]
    [InlineData("dit22_i2v_a14b.safetensors", "out.block0", "out.block1", "out.v")]
    [InlineData("dit22_ti2v.safetensors", "out.block0", "out.block1", "out.v")]
    [InlineData("vae21.safetensors", "out.decoded", "out.encoded")]
    [InlineData("vae22_w12.safetensors", "out.decoded", "out.encoded")]
    [InlineData("fp8_cast.safetensors", "out.e4m3_back", "out.e4m3_bytes", "out.e4m3_clamped_back")]
    public void Run_GoldenFile_PassesWithALineForEveryOutput(string file, params string[] outputs)
    {
        File.Copy(GoldenFiles.Path(file), Place(file));

        var (code, lines) = Run();

        Assert.Equal(0, code);
        foreach (var output in outputs)
        {
            Assert.Single(
                lines,
                line =>
                    line.StartsWith(file, StringComparison.Ordinal)
                    && line.Contains($" {output} ")
                    && line.EndsWith(" PASS", StringComparison.Ordinal)
            );
        }

        Assert.Equal(outputs.Length + 1, lines.Length); // And the summary
    }

    [Theory]
    [InlineData("gguf_types", 16)]
    [InlineData("gguf_dit_t2v", 4)]
    [InlineData("gguf_umt5", 3)]
    public void Run_GgufFile_Passes(string name, int count)
    {
        foreach (var extension in (string[])[".gguf", ".safetensors"])
        {
            File.Copy(GoldenFiles.Path(name + extension), Place(name + extension));
        }

        var (code, lines) = Run();

        Assert.True(code == 0, string.Join('\n', lines));
        Assert.Equal(count, lines.Length); // And the summary
    }

    [Fact]
    public void Run_AdaptersOfEveryKind_MakeTheWeightsThatWerePublished()
    {
        File.Copy(GoldenFiles.Path("lora_kinds.safetensors"), Place("lora_kinds.safetensors"));

        var (code, lines) = Run();

        Assert.True(code == 0, string.Join('\n', lines));
        foreach (var kind in (string[])["meta_rslora", "lora_mid", "lokr_t2", "loha_tucker", "dora_in", "dora_lokr", "diff"])
        {
            Assert.Contains(lines, line => line.Contains($" out.{kind}.", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Run_PthAndItsSafetensors_Pass()
    {
        File.Copy(GoldenFiles.Path("umt5_weights.pth"), Place("umt5_weights.pth"));
        File.Copy(GoldenFiles.Path("umt5.safetensors"), Place("umt5.safetensors"));

        var (_, lines) = Run();

        Assert.All(
            lines.Where(line => line.StartsWith("umt5_weights.pth", StringComparison.Ordinal)),
            line => Assert.EndsWith("PASS", line)
        );
        Assert.Contains(lines, line => line.StartsWith("umt5_weights.pth", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_PthAlone_FailsNamingTheFileThatIsWanted()
    {
        File.Copy(GoldenFiles.Path("umt5_weights.pth"), Place("umt5_weights.pth"));

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(lines, line => line.Contains("umt5.safetensors") && line.EndsWith("FAIL", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_OutputChangedByOnePerMille_FailsThatLineOnly()
    {
        Rewrite("dit_t2v_head128.safetensors", (name, tensor) => name == "out.block1" ? tensor * 1.001f : tensor);

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(" out.block1 ", Assert.Single(lines, line => line.EndsWith("FAIL", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("out.e4m3_bytes")]
    [InlineData("out.e4m3_back")]
    public void Run_ByteOrNanMoved_Fails(string output)
    {
        Rewrite("fp8_cast.safetensors", (name, tensor) => name == output ? tensor.roll(1, 0) : tensor);

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains($" {output} ", Assert.Single(lines, line => line.EndsWith("FAIL", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("w.blocks.1.ffn.0.weight", "blocks.1.ffn.0.weight")]
    [InlineData("in.x", "in.x")]
    [InlineData("out.v", "out.v")]
    public void Run_TensorMissing_FailsNamingIt(string removed, string named)
    {
        Rewrite("dit_t2v_head128.safetensors", (name, tensor) => name == removed ? null : tensor);

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(lines, line => line.Contains(named) && line.EndsWith("FAIL", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dit_t2v.safetensors", ScalarType.Float64, ScalarType.Int64)]
    [InlineData("vae21.safetensors", ScalarType.Float64, ScalarType.Int64)]
    [InlineData("umt5.safetensors", ScalarType.Float64, ScalarType.Int32)]
    [InlineData("sampler_unipc.safetensors", ScalarType.Float64, ScalarType.Int64)]
    public void Run_SameValuesInOtherTypes_Pass(string file, ScalarType floats, ScalarType whole)
    {
        Rewrite(
            file,
            (name, tensor) =>
                name.StartsWith("out.", StringComparison.Ordinal) ? tensor : tensor.to(tensor.is_floating_point() ? floats : whole)
        );

        var (code, lines) = Run();

        Assert.True(code == 0, string.Join('\n', lines));
    }

    [Fact]
    public void Run_InputOfAnotherShape_FailsSayingWhatIsTaken()
    {
        Rewrite("dit_t2v_head128.safetensors", (name, tensor) => name == "in.x" ? tensor.narrow(3, 0, 5).contiguous() : tensor);

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(lines, line => line.Contains("both sides must be even") && line.EndsWith("FAIL", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_OutputNobodyComputes_Fails()
    {
        Rewrite("fp8_cast.safetensors", (_, tensor) => tensor, ("out.stranger", ones(2)));

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(
            lines,
            line => line.Contains("out.stranger") && line.Contains("not computed") && line.EndsWith("FAIL", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Run_FileCutShort_FailsAndGoesOn()
    {
        var bytes = File.ReadAllBytes(GoldenFiles.Path("dit_t2v.safetensors"));
        File.WriteAllBytes(Place("dit_t2v.safetensors"), bytes[..(bytes.Length / 2)]);
        File.Copy(GoldenFiles.Path("fp8_cast.safetensors"), Place("fp8_cast.safetensors"));

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(
            lines,
            line =>
                line.StartsWith("dit_t2v.safetensors", StringComparison.Ordinal)
                && line.Contains("cut short")
                && line.EndsWith("FAIL", StringComparison.Ordinal)
        );
        Assert.Equal(3, lines.Count(line => line.EndsWith("PASS", StringComparison.Ordinal)));
    }

    [Fact]
    public void Run_NothingToCheck_IsAFailure()
    {
        File.Copy(GoldenFiles.Path("fp8_cast.safetensors"), Place("unknown.safetensors"));

        var (code, lines) = Run();

        Assert.Equal(1, code);
        Assert.Contains(
            lines,
            line => line.StartsWith("unknown.safetensors", StringComparison.Ordinal) && line.EndsWith("SKIP", StringComparison.Ordinal)
        );
        Assert.Contains(lines, line => line.Contains("nothing to check"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(2, "a", "b")]
    [InlineData(2, "a", "--device", "tpu")]
    [InlineData(1, "/no/such/folder")]
    public async Task Run_WrongArguments_SaysSo(int code, params string[] args)
    {
        using var errors = new StringWriter();

        Assert.Equal(code, await VerbProgram.RunAsync(ToolVerbs.Create(), ["parity", .. args], errors));
        Assert.StartsWith("error: ", errors.ToString());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Place(string name) => Path.Combine(_folder.FullName, name);

    private (int Code, string[] Lines) Run()
    {
        using var output = new StringWriter();
        var code = ParityRun.Run(_folder.FullName, "cpu", output);
        return (code, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A golden file with some of its tensors changed, left out or added.</summary>
    private void Rewrite(string file, Func<string, Tensor, Tensor?> change, params (string Name, Tensor Tensor)[] added)
    {
        using var scope = NewDisposeScope();
        using var golden = SafetensorsFile.Open(GoldenFiles.Path(file));
        var stored = golden.Entries.Keys.ToDictionary(name => name, golden.Load);
        scope.Attach(stored.Values);
        var tensors = stored
            .Select(pair => (Name: pair.Key, Tensor: change(pair.Key, pair.Value)))
            .Where(pair => pair.Tensor is not null)
            .Select(pair => (pair.Name, Tensor: pair.Tensor!))
            .Concat(added)
            .ToList();
        using var writer = new SafetensorsWriter(
            Place(file),
            tensors.Select(t => new TensorEntry(t.Name, ElementType.Of(t.Tensor.dtype), t.Tensor.shape)),
            golden.Metadata
        );
        foreach (var (name, tensor) in tensors)
        {
            writer.Write(name, tensor);
        }

        writer.Complete();
    }
}
