using System.ComponentModel.DataAnnotations;
using System.Net.Security;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Hosting.Tls;
using RenderFarm.Worker.Children;

namespace RenderFarm.Worker.Configuration;

/// <summary>Settings under <c>Worker:</c>.</summary>
internal sealed class WorkerOptions : ISettings, IValidatableObject
{
    public static string Section => "Worker";

    /// <summary>Where the API listens.</summary>
    [Required(ErrorMessage = "must be the address of the API, such as http://127.0.0.1:8080.")]
    [Address("http://127.0.0.1:8080")]
    public string ApiUrl { get; set; } = "http://127.0.0.1:8080";

    /// <summary>
    /// SHA-256 of the API's certificate, in hex, where it is one that the farm has signed itself: that one is believed and no other. Empty:
    /// certificates are judged as they always are.
    /// </summary>
    [RegularExpression("([0-9a-fA-F]{64})?", ErrorMessage = "must be the SHA-256 of a certificate, 64 hex digits.")]
    public string? ApiCertificateSha256 { get; set; }

    /// <summary>The same for a worker on the API's own host: the PEM file of that certificate, which may be renewed in place.</summary>
    public string? ApiCertificateFile { get; set; }

    /// <summary>Key with scope <c>worker</c>. Default: <c>worker_key</c> of the file that <c>Keys:BootstrapFile</c> names.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The name under which an operator knows this worker; stable across restarts. Default: the host's name.</summary>
    [Required(ErrorMessage = "must have 1 to 100 characters.")]
    [RegularExpression("(?s).{1,100}", ErrorMessage = "must have 1 to 100 characters.")]
    public string Name { get; set; } = Environment.MachineName;

    /// <summary><c>auto</c>: a slot for each card, or the CPU where there is none. <c>cpu</c>: one CPU slot.</summary>
    public SlotsWanted Slots { get; set; } = SlotsWanted.Auto;

    /// <summary>Holds <c>attempts/</c> (scratch) and <c>spool/</c> (finished videos not uploaded yet).</summary>
    [Required(ErrorMessage = "must name a folder.")]
    public string DataDirectory { get; set; } = FarmHome.FromEnvironment().Worker;

    /// <summary>The renderer, as a program or a <c>.dll</c>. Default: the one built beside this worker.</summary>
    public string RendererPath { get; set; } = RendererLocator.Default;

    /// <summary>Program name or path.</summary>
    [Required(ErrorMessage = "must name the ffmpeg program.")]
    public string FfmpegPath { get; set; } = "ffmpeg";

    /// <summary>After the first SIGTERM, jobs may finish for this long; then they are handed back.</summary>
    [Between(0, 86_400)]
    public double DrainGraceSeconds { get; set; } = 20;

    /// <summary>
    /// A render whose lease can't be renewed, because API, database or network are away, goes on for so long. Past the lease its job may
    /// be given to another worker: then it ends with the first renewal that gets through. 0: it ends with its lease.
    /// </summary>
    [Between(0, 1440)]
    public double OrphanMinutes { get; set; } = 15;

    /// <summary>A renderer that reports nothing for this long is killed.</summary>
    [Between(1, 86_400)]
    public double SilenceSeconds { get; set; } = 180;

    /// <summary>
    /// Keep a renderer of each slot ready for the next job: past runtime start and device context, and with the weights of its last
    /// model mapped and page-locked. It holds about 150 MiB of host memory, and half a GiB of its card. Default: on cards of 12 GiB
    /// and more.
    /// </summary>
    public bool? Standby { get; set; }

    /// <summary>How many renderers may be at work at a time on this host. Default: one a slot.</summary>
    [Between(1, 64, Or = "leave it out for one a slot")]
    public int? MaxRenderers { get; set; }

    /// <summary>Threads of a renderer on the host's cores. Default: OMP_NUM_THREADS, or the cores divided by the slots.</summary>
    [Between(1, 1024, Or = "leave it out for the cores divided by the slots")]
    public int? RendererThreads { get; set; }

    /// <summary>GiB of host memory that one renderer may take before it is ended. Default: 90 % of host memory.</summary>
    [Between(0, 65_536, Above = true, Or = "leave it out for 90 % of host memory")]
    public double? RendererMemoryGigabytes { get; set; }

    /// <summary>How long a job waits for memory that other programs hold on its card, and a card for what a job has to give back.</summary>
    [Between(0, 3600)]
    public double CardPatienceSeconds { get; set; } = 30;

    /// <summary>The driver's management library, where the loader doesn't find it by its name.</summary>
    [Required(ErrorMessage = "must name the driver's management library, libnvidia-ml.so.1.")]
    public string NvmlPath { get; set; } = Nvml.NvmlLibrary.DefaultPath;

    /// <summary>Where the rates are kept that were measured of this host's cards, by this worker or <c>farm bench calibrate</c>.</summary>
    [Required(ErrorMessage = "must name a folder.")]
    public string CalibrationDirectory { get; set; } = FarmHome.FromEnvironment().Calibration;

    /// <summary>
    /// Measure what plans are timed with: a card that never was, with this libtorch, as soon as it is idle; a processor, and a card after
    /// another driver, when idle for <see cref="CalibrationIdleSeconds"/>. A job ends it at once. Off: what was kept is used.
    /// </summary>
    public bool Calibrate { get; set; } = true;

    /// <summary>How long a slot has had no job before it is measured where plans can do without.</summary>
    [Between(0, 86_400)]
    public double CalibrationIdleSeconds { get; set; } = 60;

    /// <summary>With finished videos of more GiB than this waiting for their upload the worker takes no new job.</summary>
    [Between(0, 1e6, Above = true)]
    public double SpoolGigabytes { get; set; } = 20;

    /// <summary>
    /// How long a request for work stays open at the API. A connection that has died without a word costs a slot so long, and a
    /// little more.
    /// </summary>
    [Between(0, 60)]
    public double LeaseWaitSeconds { get; set; } = 10;

    /// <summary>With less free disk than this under <see cref="DataDirectory"/> the worker takes no new job.</summary>
    [Between(0, 1e9)]
    public double MinimumFreeDiskMegabytes { get; set; } = 512;

    /// <summary>This host's wall clock is taken to be off by so much. For trials: nothing a worker decides may depend on it.</summary>
    [Between(-1e9, 1e9, Or = "0 is the host's own clock")]
    public double ClockOffsetSeconds { get; set; }

    /// <summary>
    /// Where prepared weights stay for the next renderer: shared memory, one folder for all workers of a user. On disk it works
    /// as well, and copies to a card are as slow as the disk.
    /// </summary>
    [Required(ErrorMessage = "must name a folder.")]
    public string WeightCacheDirectory { get; set; } =
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"renderfarm-{Environment.UserName}");

    /// <summary>
    /// Where weights are kept that don't fit <see cref="WeightCacheDirectory"/> (a container's 64 MB): files on a disk, with room for the
    /// largest model, whose pages are locked in memory while a job runs. Empty: nowhere, and such jobs fail. Default: the data directory.
    /// </summary>
    public string WeightFilesDirectory
    {
        get => field ?? Path.Combine(DataDirectory, "weights");
        set;
    }

    /// <summary>
    /// GiB that the weight cache may take; the least recently used models leave. Default: 70 % of host memory. 0: none is kept.
    /// </summary>
    [Between(0, 65_536, Or = "leave it out for 70 % of host memory")]
    public double? WeightCacheGigabytes { get; set; }

    /// <summary>
    /// GiB of host memory that plans may count on, where what the system says is wrong (memory that grows when used). Default:
    /// what is available.
    /// </summary>
    [Between(0, 65_536, Above = true, Or = "leave it out for what is available")]
    public double? HostMemoryGigabytes { get; set; }

    public string AttemptsDirectory => Path.Combine(DataDirectory, "attempts");
    public string SpoolDirectory => Path.Combine(DataDirectory, "spool");

    /// <summary>How the API's certificate is judged.</summary>
    public SslClientAuthenticationOptions TlsToApi() =>
        string.IsNullOrEmpty(ApiCertificateSha256)
            ? PinnedCertificate.ByFile(ApiCertificateFile)
            : PinnedCertificate.ByDigest(ApiCertificateSha256);

    /// <summary>Which certificate <see cref="TlsToApi"/> accepts, for whoever has to see to it that it is there.</summary>
    public string CertificateWanted() =>
        !string.IsNullOrEmpty(ApiCertificateSha256)
            ? $"the farm is known here by the SHA-256 {ApiCertificateSha256}. It has another one now, the invitation was mistyped, or "
                + "something stands in between; ./farm workers invite on the farm's machine prints the right one"
        : !string.IsNullOrEmpty(ApiCertificateFile)
            ? $"the farm is known here by the one in {ApiCertificateFile} (Worker:ApiCertificateFile)"
        : "this machine trusts no authority that has signed it. Where the farm has signed its own, the line of ./farm workers invite "
            + "ends in .sha256=…: give it whole";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!File.Exists(RendererPath))
        {
            yield return new ValidationResult(
                $"is '{RendererPath}': it must name the renderer program or its .dll; build workers/RenderFarm.Renderer or set the path.",
                [nameof(RendererPath)]
            );
        }
    }
}

[OptionsValidator]
internal sealed partial class WorkerOptionsValidator : IValidateOptions<WorkerOptions>;
