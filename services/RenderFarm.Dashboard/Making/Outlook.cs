using Microsoft.AspNetCore.Http;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Making;

/// <summary>What an order would come to: on which worker, by which plan.</summary>
/// <param name="Worker">The quickest of those that have the model and room for it; null where none has.</param>
/// <param name="Refusal">Why there is none.</param>
public sealed record Outlook(HolderRecord? Worker, PlanRecord? Plan, FarmRefusal? Refusal)
{
    /// <summary>So many are asked about: an answer while somebody types is worth more than one for every card.</summary>
    private const int MostWorkers = 4;

    public static async Task<Outlook> AskAsync(Visitor visitor, Order order)
    {
        try
        {
            _ = order.Videos;
            var models = await visitor.GetAsync<ListRecord<ModelRecord>>("/v1/models");
            var model = models.Data.FirstOrDefault(one => one.Id == order["model"]) ?? models.Data.FirstOrDefault(one => one.Available);
            var holders = (model?.Workers ?? []).Where(worker => worker.Status == "live").Take(MostWorkers);
            Outlook? best = null;
            foreach (var holder in holders)
            {
                var body = order.Planned();
                body["worker"] = holder.Id;
                var plan = await visitor.ChangeAsync<PlanRecord>(HttpMethods.Post, "/v1/plans", body);
                if (best?.Plan is not { Fits: true } before || (plan.Fits && plan.Plan!.PredictedSeconds < before.Plan!.PredictedSeconds))
                {
                    best = new Outlook(holder, plan, null);
                }
            }

            return best ?? new Outlook(null, null, null);
        }
        catch (FarmRefusalException e) when (e.Refusal.Status is not StatusCodes.Status401Unauthorized)
        {
            return new Outlook(null, null, e.Refusal);
        }
    }
}
