using RenderFarm.Jobs;

namespace RenderFarm.Api.Videos;

/// <summary>
/// Takes the word that a running job is to stop to the worker that has it. A hint: the reply of its renewal says the same.
/// </summary>
internal interface ICancelCourier
{
    /// <summary>Returns at once. Does nothing for a job that no worker holds or that nobody wants stopped.</summary>
    void TellWorkerOf(Job job);
}

/// <summary>Without a broker the renewal alone brings it, within three seconds.</summary>
internal sealed class RenewalCourier : ICancelCourier
{
    public void TellWorkerOf(Job job) { }
}
