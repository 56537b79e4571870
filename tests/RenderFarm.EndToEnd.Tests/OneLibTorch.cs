using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>The built renderer beside a second libtorch, which is a copy of its own in another folder, called otherwise.</summary>
public sealed class OneLibTorch(OneLibTorch.SecondLibTorch copy) : IClassFixture<OneLibTorch.SecondLibTorch>
{
    private static readonly string Own = Path.Combine(Path.GetDirectoryName(BuiltPrograms.Renderer)!, "libtorch");

    [Fact]
    public async Task Render_AnotherIsNamed_LoadsItWholeAndNothingOfItsOwn()
    {
        var second = copy.Make("2.10.7+second");
        using var renderer = Start(new() { ["TORCH_LIB"] = second }, "render");
        var said = await renderer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        var ready = Assert.IsType<RendererReport.Ready>(JsonSerializer.Deserialize(said!, ContractsJson.Default.RendererReport));

        var folders = File.ReadLines($"/proc/{renderer.Id}/maps")
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var at and >= 0 ? line[at..] : "")
            .Where(path => Path.GetFileName(path) is "libc10.so" or "libtorch.so" or "libtorch_cpu.so")
            .Select(Path.GetDirectoryName)
            .Distinct();

        Assert.Equal([second], folders);
        Assert.Equal("2.10.0", ready.LibTorch);
        renderer.StandardInput.Close();
        await renderer.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Doctor_AnotherIsNamed_PrintsItsFilesAndVersion()
    {
        var second = copy.Make("2.10.7+second");

        var found = await LibTorchAsync(new() { ["TORCH_LIB"] = second });

        Assert.Equal(HostCheckResult.Ok, found.Result);
        Assert.Contains(
            $"2.10.7+second, by its library 2.10.0 ({second}: libc10.so, libtorch.so, libtorch_cpu.so)",
            found.Finding,
            StringComparison.Ordinal
        );
    }

    /// <summary>As README had it once: the loader's path leads elsewhere, and the build has its own.</summary>
    [Fact]
    public async Task Doctor_AnotherOnTheLoadersPath_LoadsItsOwnAlone()
    {
        var found = await LibTorchAsync(new() { ["LD_LIBRARY_PATH"] = copy.Make("2.10.7+second") });

        Assert.Equal(HostCheckResult.Ok, found.Result);
        Assert.Contains(Own, found.Finding, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("libc10.so", null, "libc10.so is missing")]
    [InlineData(null, "2.9.1", "is 2.9.1; 2.10 or newer is needed")]
    [InlineData(null, "2.11.0", "is a mix: 2.11.0 is written beside it, and its library is 2.10.0")]
    public async Task Doctor_NotWholeTooOldOrMixed_IsRefusedByName(string? missing, string? version, string refusal)
    {
        var second = copy.Make(version ?? "2.10.0", missing);

        var found = await LibTorchAsync(new() { ["TORCH_LIB"] = second });

        Assert.Equal(HostCheckResult.Lacks, found.Result);
        Assert.Contains(refusal, found.Finding, StringComparison.Ordinal);
        Assert.Contains(second, found.Finding, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_NothingUsable_IsAFaultInWords()
    {
        using var probe = Start(new() { ["TORCH_LIB"] = "/nowhere" }, "probe");

        var said = JsonSerializer.Deserialize(
            await probe.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            ContractsJson.Default.DeviceProbe
        );

        Assert.Contains("TORCH_LIB is '/nowhere'", said!.Fault, StringComparison.Ordinal);
    }

    private static async Task<HostCheck> LibTorchAsync(Dictionary<string, string> environment)
    {
        using var doctor = Start(environment, "doctor", "--json");
        var said = await doctor.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        return JsonSerializer.Deserialize(said, ContractsJson.Default.HostCheckArray)!.Single(check => check.Subject == "libtorch");
    }

    private static Process Start(Dictionary<string, string> environment, params string[] verb)
    {
        var start = new ProcessStartInfo(BuiltPrograms.Renderer, verb)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Hundreds of megabytes, made once.</summary>
    public sealed class SecondLibTorch : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        /// <returns>…/torch/lib, with what PyTorch writes beside it.</returns>
        public string Make(string version, string? without = null)
        {
            var second = Directory.CreateDirectory(Path.Combine(_folder.Path, "torch", "lib")).FullName;
            foreach (var file in Directory.EnumerateFiles(Own))
            {
                // No link: a loader takes two names of one file for one library
                var copy = Path.Combine(second, Path.GetFileName(file));
                if (Path.GetFileName(file) == without)
                {
                    File.Delete(copy);
                }
                else if (!File.Exists(copy))
                {
                    File.Copy(file, copy);
                }
            }

            File.WriteAllText(Path.Combine(_folder.Path, "torch", "version.py"), $"__version__ = '{version}'\n");
            return second;
        }

        public void Dispose() => _folder.Dispose();
    }
}
