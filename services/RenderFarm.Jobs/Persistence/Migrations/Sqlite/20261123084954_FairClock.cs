using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class FairClock : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "fair_clock",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    virtual_time = table.Column<double>(type: "REAL", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fair_clock", x => x.id);
                    table.CheckConstraint("ck_fair_clock_one", "id = 1");
                });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_turn",
                table: "jobs",
                columns: new[] { "model", "vram_class", "start_tag" },
                filter: "state = 'queued' AND fence = 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "fair_clock");

            migrationBuilder.DropIndex(
                name: "ix_jobs_turn",
                table: "jobs");
        }
    }
}
