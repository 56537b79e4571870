using System.Text;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Hosting;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Enrolment;

namespace RenderFarm.Api.Workers;

/// <summary>
/// Keeps a good invitation in <c>Keys:InvitationFile</c>, for workers that share the file with this API and nothing else. Each stands for
/// an hour and is replaced long before.
/// </summary>
internal sealed class InvitationKeeper(IOptions<KeysOptions> keys, Invitations invitations, FarmAddress address, TimeProvider time)
    : ILoop
{
    private const int Uses = 100;
    private static readonly TimeSpan Lasts = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(20);

    public string Name => "invitation_file";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            var made = await invitations.CreateAsync(null, Lasts, Uses, cancellationToken);
            PrivateFiles.Write(Path.GetFullPath(keys.Value.InvitationFile), Encoding.UTF8.GetBytes(address.JoinBy(made.Token) + "\n"));
            standing.Well();
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
